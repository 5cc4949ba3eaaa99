// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// WriteFile puts data into a file of a directory as one step: after a crash at any moment the file holds what it held
// before, or data. It is durable when WriteFile returns. Two at a time must not be for one name.
func (d *Disk) WriteFile(dir int, name string, data []byte, mode uint32) (err error) {
	temp := name + ".new"
	if err := d.Unlink(dir, temp, 0); err != nil && err != syscall.ENOENT {
		return err
	}
	fd, err := d.Open(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer Close(fd)
	defer func() {
		if err != nil {
			unix.Unlinkat(dir, temp, 0)
		}
	}()
	for off := 0; off < len(data); {
		n, err := d.Write(fd, data[off:], int64(off))
		if err != nil {
			return err
		}
		off += n
	}
	if err := d.Sync(fd); err != nil {
		return err
	}
	if err := d.Rename(dir, temp, dir, name, 0); err != nil {
		return err
	}
	return d.Sync(dir)
}

// ReadFile returns what is in a file of a directory: EFBIG where that is more than limit bytes.
func (d *Disk) ReadFile(dir int, name string, limit int) ([]byte, error) {
	fd, err := d.Open(dir, name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer Close(fd)
	data := make([]byte, 0, 512)
	for {
		if len(data) > limit {
			return nil, syscall.EFBIG
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := d.Read(fd, data[len(data):cap(data)], int64(len(data)))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return data, nil
		}
		data = data[:len(data)+n]
	}
}
