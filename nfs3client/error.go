// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import "github.com/hubhome/hubhome/nfsconn"

// Error is the error of every method. It unwraps to a syscall.Errno, and further to the nfs3.Status, the context's
// error, or that of the connection, where there is one.
type Error = nfsconn.Error

// fail makes the error of a method; nil for nil.
func (fs *FS) fail(op, name string, err error) error { return nfsconn.Fail(op, name, fs.addr, err) }
