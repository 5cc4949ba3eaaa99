// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"fmt"
	"io"
)

// cpioWriter writes an archive in cpio's "newc" format, which the kernel unpacks as its initial root
// (Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel).
type cpioWriter struct {
	w     io.Writer
	inode int
	err   error
}

const (
	cpioDir  = 0o040755
	cpioFile = 0o100755
)

// add appends one file. The first error stays, for Close to return.
func (c *cpioWriter) add(name string, mode uint32, data []byte) {
	c.inode++
	c.write(fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		c.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name), 110+len(name)+1)
	c.write(data, len(data))
}

// write writes data, and zeros up to a length of the next multiple of four.
func (c *cpioWriter) write(data []byte, length int) {
	if c.err != nil {
		return
	}
	if _, c.err = c.w.Write(data); c.err == nil {
		_, c.err = c.w.Write(make([]byte, (4-length%4)%4))
	}
}

// Close ends the archive.
func (c *cpioWriter) Close() error {
	c.add("TRAILER!!!", 0, nil)
	return c.err
}
