// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
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
// that does not fit on the disk leaves nothing behind.
func appendTo(path string, n *Warning) (err error) {
	data, err := line(n)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && info.Mode().IsRegular() {
		err = f.Sync()
	}
	if err != nil && info.Mode().IsRegular() {
		f.Truncate(info.Size())
	}
	if err != nil {
		return fmt.Errorf("write a warning: %w", err)
	}
	return nil
}
