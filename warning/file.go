// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// line is a warning as one line of JSON.
func line(n *Warning) ([]byte, error) {
	data, err := json.Marshal(n)
	return append(data, '\n'), err
}

// write writes a warning to somebody who reads along.
func write(out io.Writer, n *Warning) error {
	data, err := line(n)
	if err == nil {
		_, err = out.Write(data)
	}
	return err
}

// appendTo appends a warning to a file, durably. The file is opened each time: whoever rotates it need tell nobody. A line
// that does not fit on the disk leaves nothing behind, and what a crash has left of one stays a line of its own. It waits for
// nobody who reads from a pipe longer than until.
func appendTo(path string, n *Warning, until time.Time) (err error) {
	data, err := line(n)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		f.SetWriteDeadline(until) // what cannot have one is written at once
		_, err = f.Write(data)
	} else {
		if info.Size() > 0 && !endsLine(path, info.Size()) {
			data = append([]byte{'\n'}, data...)
		}
		if _, err = f.Write(data); err == nil {
			err = f.Sync()
		}
		if err == nil && info.Size() == 0 { // it was perhaps made now
			err = syncDir(filepath.Dir(path))
		}
		if err != nil {
			f.Truncate(info.Size())
		}
	}
	if err != nil {
		return fmt.Errorf("write a warning: %w", err)
	}
	return nil
}

// endsLine tells whether a file of a size ends with a whole line. What cannot be told is taken for one.
func endsLine(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	last := []byte{'\n'}
	f.ReadAt(last, size-1)
	return last[0] == '\n'
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
