// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// lines is an answer of several lines of JSON. Its methods may be called concurrently.
type lines struct {
	control *http.ResponseController

	mu    sync.Mutex
	w     http.ResponseWriter
	began bool
}

func (l *lines) say(line any) error {
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	return l.write(data)
}

// write writes a line, and sends it.
func (l *lines) write(data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.began {
		l.w.Header().Set("Content-Type", "application/jsonl")
		l.began = true
	}
	l.control.SetWriteDeadline(time.Now().Add(answerTime))
	if _, err := l.w.Write(append(data, '\n')); err != nil {
		return err
	}
	return l.control.Flush()
}

// beat calls a function now and then, so that who reads can tell what takes long from a server that hangs, until stop is called,
// also twice, or there is an error: nobody reads, and the request's context says so too.
func beat(every time.Duration, fn func() error) (stop func()) {
	ticker, ended := time.NewTicker(every), make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				if fn() != nil {
					return
				}
			}
		}
	})
	return sync.OnceFunc(func() {
		ticker.Stop()
		close(ended)
		beating.Wait()
	})
}
