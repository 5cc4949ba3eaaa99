// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package advice says what to do about an NFS server that cannot be used: one text for each trouble, with the setting's
// name for each kind of server that hubhome's users have.
//
// It owns those texts, and nothing else: which trouble it is, others find out.
package advice

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Advice is what to do about one trouble.
type Advice struct {
	// Do is it in a sentence.
	Do string `json:"do"`
	// Where is how, by where the server is.
	Where []Place `json:"where,omitempty"`
}

// Place is how something is done at one kind of server.
type Place struct {
	Server string `json:"server"`
	How    string `json:"how"`
}

// String returns the advice as lines.
func (a Advice) String() string {
	var text strings.Builder
	text.WriteString(a.Do)
	tabs := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, p := range a.Where {
		fmt.Fprintf(tabs, "\n  %s\t%s", p.Server, p.How)
	}
	tabs.Flush()
	return text.String()
}

// The kinds of servers.
const (
	filestore = "Filestore"
	efs       = "EFS"
	azure     = "Azure Files"
	linux     = "Linux"
	ganesha   = "Ganesha"
	ours      = "hubhome serve"
)

// RootSquash is for a server that takes root for nobody.
var RootSquash = Advice{
	Do: "The server takes root for nobody (root squash). Let root of the cluster's nodes be root there, or give the directory above to the owner:",
	Where: []Place{
		{filestore, `nfs_export_options { squash_mode = "NO_ROOT_SQUASH" } in file_shares, for the nodes' ip_ranges`},
		{efs, "allow elasticfilesystem:ClientRootAccess in the file system policy; an access point with a POSIX user other than --owner does not do"},
		{azure, "az storage share-rm update --storage-account ACCOUNT --name SHARE --root-squash NoRootSquash"},
		{linux, "no_root_squash in /etc/exports for the nodes' network, then exportfs -ra"},
		{ganesha, "Squash = No_Root_Squash in the EXPORT block"},
		{ours, "no squash does it: the hubs in its configuration are there, and nobody makes others over NFS"},
	},
}

// Denied is for a server that does not let the owner do what the mode of a directory permits.
var Denied = Advice{
	Do: "The server does not take the owner for whom it is, or an access list says otherwise. Where it maps every user to one (all squash), switch that off, or name that user as --owner:",
	Where: []Place{
		{efs, "allow elasticfilesystem:ClientWrite in the file system policy; an access point with a POSIX user acts as that user alone"},
		{azure, "az storage share-rm update --storage-account ACCOUNT --name SHARE --root-squash NoRootSquash, where it is AllSquash"},
		{linux, "no_all_squash in /etc/exports for the nodes' network, then exportfs -ra"},
		{ganesha, "Squash = No_Root_Squash in the EXPORT block, where it is All_Squash"},
	},
}

// ReadOnly is for an export that nobody can write to.
var ReadOnly = Advice{
	Do: "Export it for writing:",
	Where: []Place{
		{filestore, `nfs_export_options { access_mode = "READ_WRITE" } in file_shares, for the nodes' ip_ranges`},
		{efs, "allow elasticfilesystem:ClientWrite in the file system policy"},
		{azure, "the share has no such setting: look for a lock or a snapshot in its path"},
		{linux, "rw in /etc/exports for the nodes' network, then exportfs -ra; or the disk below was mounted read-only after an error (dmesg)"},
		{ganesha, "Access_Type = RW in the EXPORT block"},
	},
}

// NotExported is for a path that the server does not have.
var NotExported = Advice{
	Do: "Write the path as the server exports it, or have it exported:",
	Where: []Place{
		{filestore, "the path is /SHARE, with the name of the share in file_shares"},
		{efs, "the path is any below /, which the file system exports; hubhome share create makes it where root may write in /"},
		{azure, "the path is /ACCOUNT/SHARE, with the names of the storage account and the share"},
		{linux, "/etc/exports names it for the nodes' network, then exportfs -ra; showmount -e SERVER lists what is exported"},
		{ganesha, "Pseudo (NFSv4) and Path (NFSv3) in the EXPORT block"},
	},
}

// Unresolved is for a server's name that has no address.
var Unresolved = Advice{
	Do: "The name has no address here. See that it is written right, and that this machine's resolver knows it:",
	Where: []Place{
		{efs, "fs-ID.efs.REGION.amazonaws.com takes DNS support in the VPC, and a mount target in this availability zone; a new one takes some minutes"},
		{azure, "ACCOUNT.file.core.windows.net; with a private endpoint, the private DNS zone is linked to this network"},
		{"in the cluster", "nodes often cannot resolve the names of Services: give the volume an address"},
	},
}

// Unreachable is for a server that does not take connections.
var Unreachable = Advice{
	Do: "Nothing answers there. See that the address and the port are right, that the server is up, and that the nodes' network may reach TCP port 2049:",
	Where: []Place{
		{filestore, "the instance is READY, and in the cluster's VPC network or one that is peered with it"},
		{efs, "a mount target in the subnet, whose security group lets the nodes' security group in on TCP 2049"},
		{azure, "the storage account's network rules allow the nodes' subnet (service endpoint), or it has a private endpoint that its name resolves to"},
		{linux, "systemctl status nfs-server; ss -ltn 'sport = :2049'; the firewall"},
		{"in the cluster", "kubectl get endpoints of the Service; a NetworkPolicy that shuts this pod out"},
	},
}

// Silent is for a server that takes connections and does not answer.
var Silent = Advice{
	Do: "Something takes the connection and does not answer NFS. The server hangs or is starting, or what takes the connection is a proxy, a firewall or a load balancer without a server behind it. An NFS server that restarted makes everybody wait for up to 90 seconds (grace period): try again after that. See the server's own log.",
}

// NotNFS is for what speaks something else.
var NotNFS = Advice{
	Do: "Another service has this address and port. NFS is on TCP port 2049, unless somebody chose another one.",
}

// Version is for a server that does not have the version that is wanted.
var Version = Advice{
	Do: "Ask for a version that the server has (--nfs-version, and vers= in the mount options), or have it switched on:",
	Where: []Place{
		{filestore, `basic tiers speak 3 alone; zonal, regional and enterprise tiers also 4.1, with protocol = "NFS_V4_1"`},
		{efs, "4.1 (and 4.0), not 4.2 and not 3"},
		{azure, "4.1 alone, on a Premium (FileStorage) account"},
		{linux, "[nfsd] in /etc/nfs.conf: vers4.1=y, vers4.2=y"},
		{ganesha, "Protocols = 3, 4 in NFS_CORE_PARAM and the EXPORT block; Minor_Versions = 1, 2 in NFSV4"},
	},
}

// NoMount is for a server that speaks NFSv3, whose MOUNT service cannot be had.
var NoMount = Advice{
	Do: "NFSv3 begins with the MOUNT service, which the port mapper at TCP port 111 knows. Let the nodes' network reach both, or say the port (--mount-port); NFSv4 needs neither:",
	Where: []Place{
		{filestore, "the firewall lets the nodes reach TCP 111, 2046, 2049, 2050 and 4045 of the instance"},
		{linux, "systemctl status rpcbind nfs-mountd; rpcinfo -p SERVER; a fixed port for mountd in /etc/nfs.conf"},
		{ganesha, "MNT_Port in NFS_CORE_PARAM, and rpcbind running"},
	},
}

// Refused is for a server that does not take this client.
var Refused = Advice{
	Do: "The server does not take this client: it is not in the list of those who may, or it has to prove who it is. hubhome speaks sec=sys, as Kubernetes does:",
	Where: []Place{
		{filestore, "ip_ranges of nfs_export_options have the nodes' network"},
		{efs, "the file system policy allows elasticfilesystem:ClientMount without IAM and without TLS (aws:SecureTransport)"},
		{azure, "\"secure transfer required\" is off for the storage account (https_traffic_only_enabled = false)"},
		{linux, "/etc/exports names the nodes' network, with sec=sys; insecure, where the client's port is above 1023"},
		{ganesha, "SecType = sys in the EXPORT block; Clients in its CLIENT block; PrivilegedPort = false"},
	},
}

// Full is for a server without space.
var Full = Advice{
	Do: "The file system has no space, no inodes or no quota left. Make it larger, or make room:",
	Where: []Place{
		{filestore, "capacity_gb in file_shares can be raised while it is in use"},
		{efs, "it grows by itself: look at the quota of the access point or of the account"},
		{azure, "quota of the share (GiB) can be raised while it is in use"},
		{linux, "df, df -i and repquota on the server"},
	},
}

// NoPath is for a directory that is not there.
var NoPath = Advice{
	Do: "Write the path as it is on the server. A hub's directory is the base share and the hub's name; hubhome share create makes it.",
}

// OtherOwner is for a directory that is not the owner's.
var OtherOwner = Advice{
	Do: "A base share belongs to root, and homes are made in the directories of hubs below it: check one of those. A hub's directory has to be the owner's: hubhome share create makes it so, or says why not. Where somebody else is right, name them with --owner.",
}

// Nobody is for what belongs to 65534, which stands for nobody and for every name.
var Nobody = Advice{
	Do: "65534 is nobody: whom a server makes of root (root squash) or of everybody. Or by NFSv4 the server sends a name for the owner, and hubhome takes numbers, as Kubernetes does. Look with --nfs-version 3, or on the server (ls -ldn), and have it send numbers:",
	Where: []Place{
		{linux, "nfsd.nfs4_disable_idmapping=Y, as it is unless somebody changed it"},
		{ganesha, "Only_Numeric_Owners = true in NFSV4; it names everybody who is in /etc/passwd on its machine"},
		{"NetApp", "vserver nfs modify -v4-numeric-ids enabled"},
	},
}

// NotAllowed is for an owner who is refused.
var NotAllowed = Advice{
	Do:    "The mode of the directory, an access list or the server's squash keeps the owner out. In a base share that is as it should be: check a hub's directory below it. " + Denied.Do,
	Where: Denied.Where,
}

// Unsupported is for what the server does not have.
var Unsupported = Advice{
	Do: "The server does not have that. Programs that need it do not work in homes there, such as SQLite where it is locks.",
}

// Corrupt is for a server that does not do what it says.
var Corrupt = Advice{
	Do: "The server does not keep what it was given. Do not use it before its operator has found out why: its own log, its disks, and what stands between (proxies, caches).",
}

// Restarted is for a server that has restarted meanwhile.
var Restarted = Advice{
	Do: "Check again. Where it goes on, the server restarts again and again: see its log.",
}

// Endless is for a server that does not say how large it is.
var Endless = Advice{
	Do: "Watch what is used by other means: df in a home, kubelet_volume_stats_* and alerts on them say nothing here:",
	Where: []Place{
		{efs, "it grows as it is filled, and is paid for by that: StorageBytes in CloudWatch, and a budget"},
	},
}

// Slow is for a server that takes long.
var Slow = Advice{
	Do: "Look at the load of the server, and at the network between: another zone or region, a throttled tier, credits that are spent:",
	Where: []Place{
		{filestore, "performance grows with the tier and the capacity: Cloud Monitoring, file.googleapis.com/nfs/server"},
		{efs, "PercentIOLimit and BurstCreditBalance in CloudWatch; throughput mode elastic; a mount target in this zone"},
		{azure, "performance grows with the share's size: raise its quota; Transactions by response type SuccessWithThrottling"},
		{linux, "iostat -x 1 and nfsstat -s on the server; sync and wdelay in /etc/exports"},
	},
}

// Clock is for clocks that are apart.
var Clock = Advice{
	Do: "Have both keep time (chrony or systemd-timesyncd): chronyc tracking, timedatectl. Where the server is a cloud's, it is this machine's clock that is wrong.",
}

// Leftover is for a probe file that could not be removed.
var Leftover = Advice{
	Do: "Remove it by hand, or check again: what is older than ten minutes is removed by the next run.",
}
