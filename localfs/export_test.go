// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

// TrustTimes makes an FS that is not in use yet trust the kernel's time stamps to tell changes apart, as from kernel 6.13
// on, or not, whatever it has found out.
func (f *FS) TrustTimes(fine bool) { f.changes.fine = fine }
