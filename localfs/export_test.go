// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

// Coarse makes an FS that is not in use yet not trust the kernel's time stamps to tell changes apart, as on kernels
// before 6.13.
func (f *FS) Coarse() { f.changes.fine = false }
