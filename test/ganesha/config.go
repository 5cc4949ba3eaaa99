// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package ganesha

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Config is what a Ganesha exports.
type Config struct {
	// Dir is the directory that is exported, an absolute path on a file system that has handles.
	Dir string
	// Pseudo is the path under which clients find it.
	Pseudo string
	// Squash is whom it takes for nobody; No_Root_Squash where empty.
	Squash Squash
	// ReadOnly exports it for reading alone.
	ReadOnly bool
	// MinorVersions are those of NFSv4 that it speaks; 1 and 2 where nil.
	MinorVersions []uint32
	// PrivilegedPort takes no clients from ports of 1024 and above.
	PrivilegedPort bool

	// NFSv3 serves NFSv3 too, and MOUNT, at a port of its own: see Server.MountAddr. It takes a port mapper.
	NFSv3 bool
	// NFSv3Alone exports to NFSv3 alone: NFSv4 has a root with nothing in it. It goes with NFSv3.
	NFSv3Alone bool
	// Apart has Ganesha, and the port mapper at its port 111, in a network of their own: see Server.Inside. It goes with
	// NFSv3.
	Apart bool
}

// Squash is an export's Squash (ganesha-export-config(8)).
type Squash string

// The squashes.
const (
	NoRootSquash Squash = "No_Root_Squash"
	RootSquash   Squash = "Root_Squash"
	AllSquash    Squash = "All_Squash"
)

// check refuses what Ganesha would take for something else: its configuration has no way to quote a quote.
func (c Config) check() error {
	for _, path := range []string{c.Dir, c.Pseudo} {
		if !filepath.IsAbs(path) || strings.ContainsAny(path, "\"\n") {
			return fmt.Errorf("export %q as %q: give absolute paths without quotes and line breaks", c.Dir, c.Pseudo)
		}
	}
	if (c.Apart || c.NFSv3Alone) && !c.NFSv3 {
		return errors.New("a Ganesha apart, or alone for NFSv3, is one of NFSv3")
	}
	info, err := os.Stat(c.Dir)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("export %s: it is not a directory", c.Dir)
	}
	return nil
}

// text is the configuration file (ganesha-core-config(8), ganesha-export-config(8)). All that is said about recovery is
// that there is none: the recovery directory is new, so that nobody has to wait for a grace period. The rest is what
// Ganesha does by itself.
func (c Config) text(port, mountPort, recovery string) []byte {
	protocols, mount := "4", ""
	if c.NFSv3 {
		protocols, mount = "3, 4", "MNT_Port = "+mountPort+";\n\tMount_Path_Pseudo = true;"
	}
	exported := protocols
	if c.NFSv3Alone {
		exported = "3"
	}
	// Apart there is nothing else to bind to, and where the loopback is all there is, getaddrinfo(3) with AI_ADDRCONFIG, by
	// which Ganesha reads it, does not take 127.0.0.1 for an address.
	bind := "Bind_addr = 127.0.0.1;"
	if c.Apart {
		bind = ""
	}
	access, minors := "RW", "1, 2"
	if c.ReadOnly {
		access = "RO"
	}
	if c.MinorVersions != nil {
		minors = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.MinorVersions)), ", "), "[]")
	}
	return fmt.Appendf(nil, `NFS_CORE_PARAM {
	Protocols = %[1]s;
	%[12]s
	NFS_Port = %[2]s;
	%[3]s
	Enable_NLM = false;
	Enable_RQUOTA = false;
	Enable_UDP = false;
}
NFSV4 {
	Minor_Versions = %[4]s;
	Graceless = true;
	RecoveryBackend = fs;
	RecoveryRoot = "%[5]s";
}
EXPORT {
	Export_Id = 1;
	Path = "%[6]s";
	Pseudo = "%[7]s";
	Access_Type = %[8]s;
	Squash = %[9]s;
	PrivilegedPort = %[10]t;
	SecType = sys;
	Protocols = %[11]s;
	Transports = TCP;
	FSAL { Name = VFS; }
}
LOG { Default_Log_Level = EVENT; }
`, protocols, port, mount, minors, recovery, c.Dir, c.Pseudo, access, cmp.Or(c.Squash, NoRootSquash), c.PrivilegedPort, exported, bind)
}
