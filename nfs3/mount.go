// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import (
	"strconv"
	"syscall"

	"github.com/hubhome/hubhome/oncrpc"
)

// The RPC program of MOUNT (RFC 1813 section 5.1).
const (
	MountProgram = 100005
	MountVersion = 3
)

// MountProc is a procedure of MOUNT.
type MountProc uint32

// The procedures.
const (
	MountProcNull MountProc = iota
	MountProcMnt
	MountProcDump
	MountProcUmnt
	MountProcUmntAll
	MountProcExport
)

// Bounds of MOUNT, in bytes (MNTPATHLEN, MNTNAMLEN), and of what a Decoder takes where the RFC leaves it open.
const (
	MaxMountPath = 1024
	maxMountName = 255
	maxFlavors   = 64
)

// MountStatus is mountstat3. It is an error that unwraps to a syscall.Errno.
type MountStatus uint32

// The statuses of MNT.
const (
	MountOK             MountStatus = 0
	MountErrPerm        MountStatus = 1
	MountErrNoEnt       MountStatus = 2
	MountErrIO          MountStatus = 5
	MountErrAcces       MountStatus = 13
	MountErrNotDir      MountStatus = 20
	MountErrInval       MountStatus = 22
	MountErrNameTooLong MountStatus = 63
	MountErrNotSupp     MountStatus = 10004
	MountErrServerFault MountStatus = 10006
)

var mountStatusNames = map[MountStatus]string{
	MountOK:             "MNT3_OK",
	MountErrPerm:        "MNT3ERR_PERM",
	MountErrNoEnt:       "MNT3ERR_NOENT",
	MountErrIO:          "MNT3ERR_IO",
	MountErrAcces:       "MNT3ERR_ACCES",
	MountErrNotDir:      "MNT3ERR_NOTDIR",
	MountErrInval:       "MNT3ERR_INVAL",
	MountErrNameTooLong: "MNT3ERR_NAMETOOLONG",
	MountErrNotSupp:     "MNT3ERR_NOTSUPP",
	MountErrServerFault: "MNT3ERR_SERVERFAULT",
}

// String returns the name as the RFC spells it.
func (s MountStatus) String() string {
	if name, ok := mountStatusNames[s]; ok {
		return name
	}
	return "MNT3ERR_" + strconv.FormatUint(uint64(s), 10)
}

// Error is String.
func (s MountStatus) Error() string { return s.String() }

// Errno is that of the Status of the same number, which means the same.
func (s MountStatus) Errno() syscall.Errno { return Status(s).Errno() }

// Unwrap returns Errno.
func (s MountStatus) Unwrap() error { return s.Errno() }

// PathArgs is a path at the server (dirpath): the arguments of MNT and UMNT.
type PathArgs struct{ Path []byte }

// Encode writes the arguments.
func (a *PathArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Path) }

// Decode reads the arguments.
func (a *PathArgs) Decode(d *oncrpc.Decoder) { a.Path = d.Opaque(MaxMountPath) }

// MountRes is mountres3.
type MountRes struct {
	Status MountStatus
	Handle Handle
	// Flavors are how a caller may say who it is, the server's favourite first.
	Flavors []oncrpc.Flavor
}

// Encode writes the results.
func (r *MountRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Status != MountOK {
		return
	}
	e.Opaque(r.Handle)
	e.Uint32(uint32(len(r.Flavors)))
	for _, f := range r.Flavors {
		e.Uint32(uint32(f))
	}
}

// Decode reads the results.
func (r *MountRes) Decode(d *oncrpc.Decoder) {
	*r = MountRes{Status: MountStatus(d.Uint32())}
	if r.Status != MountOK {
		return
	}
	r.Handle = d.Opaque(MaxHandle)
	for range d.Count(maxFlavors, 4) {
		r.Flavors = append(r.Flavors, oncrpc.Flavor(d.Uint32()))
	}
}

// Export is a directory that the server exports (exportnode).
type Export struct {
	Dir []byte
	// Groups are who may mount it, as the server has it: host names, netgroups, networks. Empty: everybody.
	Groups [][]byte
}

// ExportRes is the result of EXPORT.
type ExportRes struct{ Exports []Export }

// Encode writes the results: linked lists, each element behind a TRUE, and a FALSE at the end.
func (r *ExportRes) Encode(e *oncrpc.Encoder) {
	for _, x := range r.Exports {
		e.Bool(true)
		e.Opaque(x.Dir)
		for _, group := range x.Groups {
			e.Bool(true)
			e.Opaque(group)
		}
		e.Bool(false)
	}
	e.Bool(false)
}

// Decode reads the results. After an error, all that was decoded before it is there.
func (r *ExportRes) Decode(d *oncrpc.Decoder) {
	*r = ExportRes{}
	for d.Bool() {
		x := Export{Dir: d.Opaque(MaxMountPath)}
		for d.Bool() {
			x.Groups = append(x.Groups, d.Opaque(maxMountName))
		}
		r.Exports = append(r.Exports, x)
	}
}
