// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package vfs is the contract for a tree of files that hubhome serves, reaches over the wire, or wraps.
//
// It owns the interface and the words of that contract, and the one rule that every implementation must apply the same
// way: what mode bits allow to a caller (Permit). It does no I/O and imports nothing of ours.
//
// The contract speaks in handles, not in open nodes: a Handle is a value that outlives the process, so nothing has to be
// kept, counted or released between two requests. Only a File holds something, and it is closed.
//
// Every error of an FS or a File unwraps to a syscall.Errno. The ones with a meaning beyond their man page:
//
//	ESTALE     the handle's file is gone, or the handle is of another store
//	EBADF      the handle is malformed or was not issued by this FS
//	EXDEV      rename, link or clone from one home to another
//	EOPNOTSUPP the file system below cannot do it
//	EDQUOT     the home's quota is spent (ENOSPC stays: the disk is full)
package vfs

import (
	"context"
	"time"
)

// MaxHandle is the longest Handle in bytes (NFS4_FHSIZE, RFC 8881 section 3.1).
const MaxHandle = 128

// MaxName is the longest name of a directory entry in bytes (NAME_MAX).
const MaxName = 255

// MaxXattr is the longest value of an extended attribute in bytes (XATTR_SIZE_MAX).
const MaxXattr = 64 << 10

// Handle names one file of an FS for as long as the file exists: across restarts, renames and a restored disk.
// It is opaque bytes, at most MaxHandle of them, and comparable: two handles are of the same file exactly when equal.
type Handle string

// HomeID names the home that a file belongs to, for as long as the home exists. Zero: the file belongs to no home.
// A file never changes its home: rename and link between two homes answer EXDEV.
type HomeID uint64

// Type is the type of a file.
type Type uint8

// The types of files.
const (
	Regular Type = iota + 1
	Directory
	Symlink
	BlockDevice
	CharDevice
	Socket
	FIFO
)

// Nobody is the UID and the GID of whom there is no number for: NFSv4 may have a name.
const Nobody = 65534

// Attr is what is known of a file at one moment.
type Attr struct {
	Type Type
	// Mode is the permission, set-id and sticky bits, 0 to 07777.
	Mode uint32
	// Nlink is the number of names the file has.
	Nlink    uint32
	UID, GID uint32
	// Size is the length in bytes; Used is what the file takes on the disk, in bytes.
	Size, Used uint64
	// Rdev is the device that a device node stands for.
	Rdev Device
	// FileID is unique in the FS while the file exists (the inode number).
	FileID uint64
	// Change is greater after every change of the file's data or attributes, and never goes back, not even across a
	// restart (RFC 8881 section 5.8.1.4).
	Change uint64
	// Home is the home that the file belongs to.
	Home HomeID
	// Birth is zero where the file system does not keep it.
	Atime, Mtime, Ctime, Birth time.Time
}

// Device is a device number.
type Device struct{ Major, Minor uint32 }

// SetTime is a time to set: nothing, the server's clock, or the time given.
type SetTime struct {
	Set bool
	// Now sets the time to the server's clock; otherwise to Time.
	Now  bool
	Time time.Time
}

// SetAttr is what to change of a file. A nil field stays as it is.
type SetAttr struct {
	Mode         *uint32
	UID, GID     *uint32
	Size         *uint64
	Atime, Mtime SetTime
}

// Entry is a name's file: its handle and its attributes at one moment.
type Entry struct {
	Handle Handle
	Attr   Attr
}

// DirChange is a directory's change attribute around an operation. Atomic: nothing else changed the directory between.
type DirChange struct {
	Before, After uint64
	Atomic        bool
}

// DirEntry is one entry of a directory. Handle and Attr are set where ReadDir was asked for them; Err tells why the
// entry's attributes could not be had (ENOENT is never reported: an entry that has gone meanwhile is left out).
type DirEntry struct {
	Name   string
	Cookie uint64
	FileID uint64
	Entry
	Err error
}

// CreateMode says what Create does about a file that is there already.
type CreateMode uint8

const (
	// Unchecked opens the file that is there; of the attributes, a Size of zero alone is applied to it.
	Unchecked CreateMode = iota
	// Guarded answers EEXIST.
	Guarded
	// Exclusive answers EEXIST, except to the caller whose Verifier made the file: a retry of the request that made
	// the file, even after a restart, finds its own (RFC 8881 section 18.16.3, EXCLUSIVE4_1).
	Exclusive
)

// Create is how Create makes a file.
type Create struct {
	Mode     CreateMode
	Verifier [8]byte
	// Attr is set on a file that Create made. Mode is 0644 where nil. UID and GID are the caller's where nil; in a
	// directory with the set-group-id bit, GID is the directory's.
	Attr SetAttr
}

// Access is what a File is opened for.
type Access uint8

// The ways to open a File.
const (
	Read Access = 1 << iota
	Write
)

// Stability is how safe written data is (RFC 8881 section 18.32, stable_how4), weakest first.
type Stability uint8

const (
	// Unstable: in memory; lost with the machine until Commit.
	Unstable Stability = iota
	// DataSync: the data and what is needed to find it again are on the disk.
	DataSync
	// FileSync: the data and all attributes are on the disk.
	FileSync
)

// Verifier is what was true of unsynced data when it was written: where Commit returns another one than WriteAt did,
// data in between may be lost and must be written again (RFC 8881 section 18.3.3).
type Verifier [8]byte

// StatFS is the space that a file's home, or the whole FS, has. Bytes and files; Avail is what a user may still take.
type StatFS struct {
	TotalBytes, FreeBytes, AvailBytes uint64
	TotalFiles, FreeFiles, AvailFiles uint64
}

// SeekWhat is what Seek looks for.
type SeekWhat uint8

// What Seek can find (RFC 7862 section 11.11, data_content4).
const (
	SeekData SeekWhat = iota
	SeekHole
)

// XattrMode says what SetXattr does about an attribute that is, or is not, there already (RFC 8276 section 8.4.3).
type XattrMode uint8

// The modes of SetXattr.
const (
	XattrEither XattrMode = iota
	XattrCreate
	XattrReplace
)

// FS is a tree of files.
//
// All methods may be called concurrently. They honour the context's cancellation where they can wait for anything but
// the local disk. Every method that takes a *Caller does as that caller may do and no more; a nil *Caller is the server
// itself, to whom everything is permitted. Names are bytes: any but NUL and '/', at most MaxName, and "", "." and ".."
// answer EINVAL.
//
// A method that changes a directory has made the change durable when it returns without error: a crash, even of the
// machine, keeps it (RFC 7530 section 14.3).
type FS interface {
	// Root returns the root directory's handle.
	Root(ctx context.Context) (Handle, error)

	// Home tells which home a handle's file belongs to, without touching the disk. EBADF for a malformed or foreign handle.
	Home(h Handle) (HomeID, error)

	// GetAttr returns a file's attributes. It needs no permission.
	GetAttr(ctx context.Context, h Handle) (Attr, error)

	// SetAttr changes what is set in set, as far as the caller may: EPERM where only the owner may, EACCES where mode
	// bits refuse. It changes all or, where it answers an error, possibly some. Size takes write permission, or a
	// File open for writing (File.Truncate).
	SetAttr(ctx context.Context, c *Caller, h Handle, set SetAttr) (Attr, error)

	// Lookup finds a name in a directory. ENOTDIR, ENOENT, EACCES (search permission), ENAMETOOLONG.
	Lookup(ctx context.Context, c *Caller, dir Handle, name string) (Entry, error)

	// Parent returns the directory that a directory is in. ENOENT at the root, ENOTDIR for anything but a directory.
	Parent(ctx context.Context, c *Caller, dir Handle) (Entry, error)

	// ReadDir calls fn for the entries of a directory after the one whose cookie was given (0: from the start), until
	// fn returns false or the directory ends; end tells which. "." and ".." are not among them. Cookies are 3 or more
	// and stay valid while the directory changes and across restarts. withAttr asks for Handle and Attr of every entry.
	ReadDir(ctx context.Context, c *Caller, dir Handle, cookie uint64, withAttr bool, fn func(*DirEntry) bool) (end bool, err error)

	// ReadLink returns what a symbolic link says. EINVAL for anything else.
	ReadLink(ctx context.Context, c *Caller, h Handle) (string, error)

	// Create opens a regular file for access, and makes it where it is not there. created tells whether it made it.
	// A file that is there is opened under the rules of Open: the name of a directory answers EISDIR, of a link ELOOP.
	// The File is usable for access even where the mode given to a new file would refuse it.
	Create(ctx context.Context, c *Caller, dir Handle, name string, how Create, access Access) (f File, e Entry, created bool, ch DirChange, err error)

	// Mkdir makes a directory. Its mode is 0755, its owner the caller, where set says nothing else.
	Mkdir(ctx context.Context, c *Caller, dir Handle, name string, set SetAttr) (Entry, DirChange, error)

	// Symlink makes a symbolic link that says target.
	Symlink(ctx context.Context, c *Caller, dir Handle, name, target string, set SetAttr) (Entry, DirChange, error)

	// Mknod makes a FIFO, socket or device node. Device nodes answer EPERM to a caller who is not root.
	Mknod(ctx context.Context, c *Caller, dir Handle, name string, t Type, dev Device, set SetAttr) (Entry, DirChange, error)

	// Link gives a file another name. EXDEV where the directory is of another home, EPERM for a directory.
	Link(ctx context.Context, c *Caller, h Handle, dir Handle, name string) (DirChange, error)

	// Remove removes a name and, with the last one, the file; ENOTEMPTY for a directory that is not empty. It removes
	// directories too. gone is the entry that was removed.
	Remove(ctx context.Context, c *Caller, dir Handle, name string) (gone Entry, ch DirChange, err error)

	// Rename moves a name, in place of one that is there: EEXIST, ENOTEMPTY, ENOTDIR or EISDIR as rename(2) says.
	// Both names of one file: nothing happens. over is the entry that was replaced; its Handle is empty where there was none.
	Rename(ctx context.Context, c *Caller, fromDir Handle, from string, toDir Handle, to string) (over Entry, fromCh, toCh DirChange, err error)

	// Open opens a regular file as its mode permits (PermitOpen): EISDIR for a directory, ELOOP for a symbolic link,
	// EINVAL for anything else.
	Open(ctx context.Context, c *Caller, h Handle, access Access) (File, error)

	// StatFS returns the space that the file's home has.
	StatFS(ctx context.Context, h Handle) (StatFS, error)

	// Extended attributes of the user namespace; names without the "user." (RFC 8276 section 8.4). ENODATA where there
	// is none, EEXIST and ENODATA as mode says, E2BIG over MaxXattr, EOPNOTSUPP. change is the file's change attribute
	// around the operation.
	GetXattr(ctx context.Context, c *Caller, h Handle, name string) ([]byte, error)
	SetXattr(ctx context.Context, c *Caller, h Handle, name string, value []byte, mode XattrMode) (change DirChange, err error)
	ListXattr(ctx context.Context, c *Caller, h Handle) ([]string, error)
	RemoveXattr(ctx context.Context, c *Caller, h Handle, name string) (change DirChange, err error)
}

// File is an open regular file. All methods but Close may be called concurrently; Close once, when no other call runs.
// It answers for the permissions it was opened with, whatever becomes of the file's mode. A method that needs another
// access than it was opened for answers EBADF.
type File interface {
	// ReadAt reads into p from off. n is less than len(p) only at the end of the file (eof) or with an error.
	ReadAt(ctx context.Context, p []byte, off uint64) (n int, eof bool, err error)

	// WriteAt writes p at off and makes it at least as stable as asked. did is what truly happened, never more.
	// A short write comes without error when at least one byte was written.
	WriteAt(ctx context.Context, p []byte, off uint64, want Stability) (n int, did Stability, v Verifier, err error)

	// Commit makes all that was written to this file, through this File or another, FileSync.
	// After an error the data may be lost: the verifier has changed.
	Commit(ctx context.Context) (Verifier, error)

	// Truncate sets the size, in bytes.
	Truncate(ctx context.Context, size uint64) error

	// Allocate reserves space for length bytes at off, growing the file where needed (RFC 7862 section 15.1).
	Allocate(ctx context.Context, off, length uint64) error

	// Deallocate makes length bytes at off a hole that reads as zeros; the size stays (RFC 7862 section 15.4).
	Deallocate(ctx context.Context, off, length uint64) error

	// Seek finds the next data or hole at or after off (RFC 7862 section 15.11). eof: there is none, and at is the
	// file's size. ENXIO where off is at or beyond the end.
	Seek(ctx context.Context, what SeekWhat, off uint64) (at uint64, eof bool, err error)

	// CopyFrom copies up to length bytes from src, a File of the same FS, as WriteAt with Unstable does. n is less than
	// length where src ends before, or with an error. EINVAL for overlapping ranges of one file.
	CopyFrom(ctx context.Context, src File, srcOff, off, length uint64) (n uint64, v Verifier, err error)

	// CloneFrom shares length bytes of src's blocks, to the end of src where length is 0. EOPNOTSUPP where the file
	// system cannot, EXDEV between homes, EINVAL where it wants other alignment.
	CloneFrom(ctx context.Context, src File, srcOff, off, length uint64) error

	// Close gives back what the File holds. It syncs nothing.
	Close() error
}
