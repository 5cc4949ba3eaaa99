// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"bytes"
	"sync"
)

// log is what the containers of a pod print. It may be read while they do. There is none of a pod that never was.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
