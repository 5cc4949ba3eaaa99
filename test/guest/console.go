// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"bytes"
	"sync"
)

// maxConsole bounds what is kept of a console, in bytes.
const maxConsole = 64 << 10

// console keeps the last of what a guest's serial port and QEMU itself say. It may be used concurrently.
type console struct {
	mu   sync.Mutex
	text []byte
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, p...)
	if over := len(c.text) - maxConsole; over > 0 {
		c.text = append(c.text[:0], c.text[over:]...)
	}
	return len(p), nil
}

// last returns the last lines.
func (c *console) last(lines int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := bytes.TrimRight(bytes.ReplaceAll(c.text, []byte("\r"), nil), "\n")
	start := len(text)
	for range lines {
		if start = bytes.LastIndexByte(text[:start], '\n'); start < 0 {
			break
		}
	}
	return string(text[start+1:])
}
