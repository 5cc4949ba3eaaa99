// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

const (
	// scriptTime is how long a script may take where its context has no deadline.
	scriptTime = 2 * time.Minute
	// answerTime is how much longer than a script's time the host waits for word of it.
	answerTime = 15 * time.Second
)

// ExitError is a script's exit code other than 0; 137 for one that took too long and was killed.
type ExitError struct{ Code int }

func (e *ExitError) Error() string {
	if e.Code == 137 {
		return "the script was killed: it took too long"
	}
	return "the script ended with exit code " + strconv.Itoa(e.Code)
}

// accept takes the workers' calls until the listener is closed.
func (m *Machine) accept() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return
		}
		select {
		case m.idle <- conn:
		default: // not one of the guest's: it has no more workers than there is room
			conn.Close()
		}
	}
}

// Run runs a shell script as root, in the guest's directory /test, and waits for its end. All that it prints goes to
// output, as it prints it; a nil output drops it. An exit code other than 0 is an *ExitError. The script is killed, with
// all it has started in the foreground, when the context's deadline is over; a cancelled context only stops the waiting.
// Scripts more than a guest has workers wait for their turn.
func (m *Machine) Run(ctx context.Context, script string, output io.Writer) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(scriptTime)
	}
	if output == nil {
		output = io.Discard
	}
	var conn net.Conn
	select {
	case conn = <-m.idle:
	case <-m.exited:
		return fmt.Errorf("the guest has ended (%v)", m.died)
	case <-ctx.Done():
		return fmt.Errorf("wait for a worker in the guest: %w", context.Cause(ctx))
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			conn.Close()
		}
	})()
	if err := conn.SetDeadline(deadline.Add(answerTime)); err != nil {
		return err
	}
	token := rand.Text()
	seconds := max(1, int(time.Until(deadline).Seconds()))
	if _, err := fmt.Fprintf(conn, "%s %d %d\n%s", token, seconds, len(script), script); err != nil {
		return fmt.Errorf("send a script to the guest: %w", err)
	}
	code, err := answer(bufio.NewReader(conn), token, output)
	if err != nil {
		return fmt.Errorf("hear from a script in the guest: %w", err)
	}
	if code != 0 {
		return &ExitError{code}
	}
	return nil
}

// answer copies a script's output up to the zero byte, the token and the exit code that end it.
func answer(r *bufio.Reader, token string, output io.Writer) (code int, err error) {
	end := []byte("\x00" + token + " ")
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			output.Write(line)
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		said, rest, last := bytes.Cut(line, end)
		if _, err := output.Write(said); err != nil {
			return 0, err
		}
		if last {
			return strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
	}
}
