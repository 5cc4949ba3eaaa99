// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"testing"

	"github.com/hubhome/hubhome/vfs"
)

// Config is an implementation of vfs that the suite is run over.
type Config struct {
	// New returns a tree of files and an empty home in it: a directory in a hub, which belongs to 1000:1000 with mode
	// 0755. The suite makes another home in that hub. What New starts ends with the test.
	New func(t *testing.T) (fs vfs.FS, home vfs.Handle)

	// Restart ends a tree of New and returns one on the same store. Nil where the implementation has no restart.
	Restart func(t *testing.T, fs vfs.FS) vfs.FS

	// What the implementation cannot do, or not here.
	NoHomeID  bool // Home and Attr.Home do not tell the home
	NoDevices bool // no device nodes: the test does not run as root
	NoXattrs  bool // no extended attributes
	NoSeek    bool // no Allocate, Deallocate, Seek and CopyFrom (NFS before 4.2)
	NoOpens   bool // a File is nothing at the server, an exclusive Create cannot be repeated, no times before 1970 (NFSv3)
	NoHomes   bool // a directory made in a hub is as any other
	// Foreign: the server below is not ours. Handles are not signed, and what is left to servers it does in its way.
	Foreign bool
}

// promise is one sentence of the contract, and how to see whether it is kept.
type promise struct {
	says string
	try  func(*tree)
}

// chapters are the promises about one noun each.
var chapters = []struct {
	noun     string
	promises []promise
}{
	{"handle", handlePromises},
	{"name", namePromises},
	{"directory", directoryPromises},
	{"create", createPromises},
	{"make", makePromises},
	{"link", linkPromises},
	{"remove", removePromises},
	{"rename", renamePromises},
	{"home", homePromises},
	{"permission", permissionPromises},
	{"attribute", attributePromises},
	{"change", changePromises},
	{"data", dataPromises},
	{"open", openPromises},
	{"space", spacePromises},
	{"copy", copyPromises},
	{"xattr", xattrPromises},
	{"concurrency", concurrencyPromises},
	{"restart", restartPromises},
}

// Run holds an implementation to the contract, one sub-test for each promise.
func Run(t *testing.T, config Config) {
	for _, chapter := range chapters {
		t.Run(chapter.noun, func(t *testing.T) {
			for _, p := range chapter.promises {
				t.Run(p.says, func(t *testing.T) { p.try(newTree(t, &config)) })
			}
		})
	}
}
