// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfs3 is NFSv3 on the wire (RFC 1813), with the two protocols that a client of it cannot do without: MOUNT
// version 3 (RFC 1813 section 5), which gives the handle of an exported directory, and the port mapper (RFC 1833 section
// 3, version 2), which says where the server has MOUNT.
//
// It owns bytes and words, and no behaviour: nothing here knows a file or a connection, locks, waits, or starts
// anything. It imports oncrpc for XDR and nothing else of ours.
//
// A procedure has Args and Res behind its name, as LookupArgs, each with Encode and Decode. Where several procedures have
// the same of either, they share it: DirOpArgs, MakeRes, WccRes. The names of fields are the RFC's without their prefixes.
//
// A Res begins with its Status, and has what the RFC puts into either arm of the union: with some other status than OK,
// what belongs to the OK arm alone is not on the wire and stays zero.
//
// Decoding copies no bytes: slices alias the message and are valid as long as it is. The errors are the Decoder's.
// A number that selects the arm of a union must be one that the RFC knows, or the message is malformed; all other enums
// and flags are decoded as they are, and their range is for the receiver to check.
package nfs3

import (
	"math"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
)

// The RPC program (RFC 1813 section 3).
const (
	Program = 100003
	Version = 3
)

// Proc is a procedure of the program.
type Proc uint32

// The procedures.
const (
	ProcNull Proc = iota
	ProcGetAttr
	ProcSetAttr
	ProcLookup
	ProcAccess
	ProcReadLink
	ProcRead
	ProcWrite
	ProcCreate
	ProcMkdir
	ProcSymlink
	ProcMknod
	ProcRemove
	ProcRmdir
	ProcRename
	ProcLink
	ProcReadDir
	ProcReadDirPlus
	ProcFSStat
	ProcFSInfo
	ProcPathConf
	ProcCommit
)

// MaxHandle is the longest filehandle in bytes (NFS3_FHSIZE).
const MaxHandle = 64

// Bounds of what a Decoder takes where the RFC leaves it open, in bytes.
const (
	maxName    = 1024
	maxPath    = 8 << 10
	maxPayload = math.MaxInt32 // no more than the message holds
)

// Handle is a filehandle (nfs_fh3): opaque, at most MaxHandle bytes.
type Handle []byte

// Verifier is what keeps its meaning as long as the server does: cookieverf3, createverf3, writeverf3.
type Verifier [8]byte

func decodeVerifier(d *oncrpc.Decoder) (v Verifier) {
	copy(v[:], d.Fixed(len(v)))
	return v
}

// Time is nfstime3: seconds and nanoseconds since 1970 UTC. It ends in 2106, and there is nothing before 1970.
type Time struct{ Sec, Nsec uint32 }

// TimeOf returns a time as the wire has it; false for one that it cannot have.
func TimeOf(t time.Time) (Time, bool) {
	sec := t.Unix()
	if sec < 0 || sec > math.MaxUint32 {
		return Time{}, false
	}
	return Time{Sec: uint32(sec), Nsec: uint32(t.Nanosecond())}, true
}

// Time returns the time in UTC.
func (t Time) Time() time.Time { return time.Unix(int64(t.Sec), int64(t.Nsec)).UTC() }

// Encode writes the time.
func (t Time) Encode(e *oncrpc.Encoder) {
	e.Uint32(t.Sec)
	e.Uint32(t.Nsec)
}

// Decode reads the time.
func (t *Time) Decode(d *oncrpc.Decoder) {
	t.Sec = d.Uint32()
	t.Nsec = d.Uint32()
}

// SpecData is the device that a device node stands for (specdata3).
type SpecData struct{ Major, Minor uint32 }

// Encode writes the device.
func (s SpecData) Encode(e *oncrpc.Encoder) {
	e.Uint32(s.Major)
	e.Uint32(s.Minor)
}

// Decode reads the device.
func (s *SpecData) Decode(d *oncrpc.Decoder) {
	s.Major = d.Uint32()
	s.Minor = d.Uint32()
}
