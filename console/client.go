// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
)

// maxAnswer is the longest answer that a client reads, in bytes: a million homes.
const maxAnswer = 1 << 30

// silenceTime is how long a server that checks homes may send nothing: it has a line at least every 10 s.
const silenceTime = time.Minute

// Client asks a server that runs on this machine. Its methods may be called concurrently. Who calls them sets the deadline.
type Client struct {
	socket      string
	http        *http.Client
	silenceTime time.Duration
}

// NewClient returns a client of the server that listens on a unix socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, silenceTime: silenceTime, http: &http.Client{Transport: &http.Transport{
		DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
	}}}
}

// Close gives back what the client holds.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Hubs returns all hubs, by name.
func (c *Client) Hubs(ctx context.Context) ([]Hub, error) {
	var list HubList
	err := c.get(ctx, "/v1/hubs", &list)
	return list.Hubs, err
}

// Homes returns all homes, or those of one hub, by hub and name.
func (c *Client) Homes(ctx context.Context, hub hubhome.HubName) ([]Home, error) {
	path := "/v1/homes"
	if hub != "" {
		path += "?hub=" + url.QueryEscape(string(hub))
	}
	list := homeReader{homes: []Home{}}
	err := c.get(ctx, path, &list)
	return list.homes, err
}

// homeReader reads a HomeList home by home, while the server still writes: there may be a hundred thousand.
type homeReader struct{ homes []Home }

func (l *homeReader) read(d *json.Decoder) error {
	for _, want := range []json.Token{json.Delim('{'), "homes", json.Delim('[')} {
		if got, err := d.Token(); err != nil || got != want {
			return cmp.Or(err, errors.New("it is no list of homes"))
		}
	}
	for d.More() {
		l.homes = append(l.homes, Home{})
		if err := d.Decode(&l.homes[len(l.homes)-1]); err != nil {
			return err
		}
	}
	for _, want := range []json.Token{json.Delim(']'), json.Delim('}')} {
		if got, err := d.Token(); err != nil || got != want {
			return cmp.Or(err, errors.New("it is no list of homes"))
		}
	}
	return nil
}

// Home returns one home.
func (c *Client) Home(ctx context.Context, hub hubhome.HubName, name string) (HomeDetail, error) {
	var detail HomeDetail
	err := c.get(ctx, homePath(hub, name), &detail)
	return detail, err
}

func homePath(hub hubhome.HubName, name string) string {
	return "/v1/hubs/" + url.PathEscape(string(hub)) + "/homes/" + url.PathEscape(name)
}

// Largest returns one home with its n largest directories, and tells meanwhile how far the walk through it is.
func (c *Client) Largest(ctx context.Context, hub hubhome.HubName, name string, n int, tell func(Looked)) (HomeDetail, error) {
	into := largestReader{tell: tell}
	err := c.get(ctx, homePath(hub, name)+"/largest?n="+strconv.Itoa(n), &into)
	return into.home, err
}

// largestReader reads the lines that end with a home.
type largestReader struct {
	tell func(Looked)
	home HomeDetail
}

func (l *largestReader) read(d *json.Decoder) error {
	for {
		var line LargestLine
		switch err := d.Decode(&line); {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case line.Error != "":
			return Problems{{Message: line.Error}}
		case line.Home != nil:
			l.home = *line.Home
			return nil
		case line.Looked != nil:
			l.tell(*line.Looked)
		}
	}
}

// Quotas returns the quotas that were set at run time, all or those of one hub, by hub and name.
func (c *Client) Quotas(ctx context.Context, hub hubhome.HubName) ([]SetQuota, error) {
	path := "/v1/quotas"
	if hub != "" {
		path += "?hub=" + url.QueryEscape(string(hub))
	}
	var list SetQuotaList
	err := c.get(ctx, path, &list)
	return list.Quotas, err
}

// SetQuotas changes quotas. Where changes are wrong, the error is Problems, and nothing was changed. More than a server reads
// is not sent: who does not read to the end may be gone before it is heard why.
func (c *Client) SetQuotas(ctx context.Context, req QuotaRequest) (QuotaResult, error) {
	var result QuotaResult
	body, err := json.Marshal(req)
	if err != nil {
		return result, err
	}
	if len(body) > maxBody {
		return result, Problems{{Message: fmt.Sprintf("%d changes are more than %d bytes, which is what a server takes at once: make it several, and nothing was changed", len(req.Changes), maxBody)}}
	}
	err = c.do(ctx, http.MethodPost, "/v1/quotas", bytes.NewReader(body), &result)
	return result, err
}

// Check has all homes counted, and tells of each. One that reads the answer to its end knows that all were told. It takes as
// long as it takes, while the server shows that it goes on.
func (c *Client) Check(ctx context.Context, repair bool, tell func(Checked)) error {
	body, err := json.Marshal(CheckRequest{Repair: repair})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := fmt.Errorf("the server at %s has said nothing for %v", c.socket, c.silenceTime)
	timer := time.AfterFunc(c.silenceTime, func() { cancel(silent) })
	defer timer.Stop()
	err = c.do(ctx, http.MethodPost, "/v1/check", bytes.NewReader(body), &checkReader{tell, func() { timer.Reset(c.silenceTime) }})
	if err != nil && context.Cause(ctx) == silent {
		return silent
	}
	return err
}

// checkReader reads the lines of a check.
type checkReader struct {
	tell func(Checked)
	// heard is called when anything has come.
	heard func()
}

func (c *checkReader) read(d *json.Decoder) error {
	for {
		var line CheckLine
		switch err := d.Decode(&line); {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case line.Error != "":
			return Problems{{Message: line.Error}}
		case line.Done:
			return nil
		}
		c.tell(line.checked())
	}
}

// hearing is a body whose reader is told when anything has come.
type hearing struct {
	io.Reader
	heard func()
}

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.heard()
	}
	return n, err
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, http.NoBody, into)
}

// Problems is why a server did not do what it was asked.
type Problems []Problem

func (ps Problems) Error() string {
	if len(ps) == 0 {
		return "the server refused, and did not say why"
	}
	text := ps[0].Message
	if more := len(ps) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// do asks, and reads the answer.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://hubhome"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer res.Body.Close()
	text := io.LimitReader(res.Body, maxAnswer)
	if check, ok := into.(*checkReader); ok {
		text = hearing{text, check.heard}
	}
	answer := json.NewDecoder(text)
	if res.StatusCode != http.StatusOK {
		var failure Failure
		if err := answer.Decode(&failure); err != nil || len(failure.Errors) == 0 {
			return fmt.Errorf("the server at %s answered %s: is it hubhome?", c.socket, res.Status)
		}
		return Problems(failure.Errors)
	}
	if stream, ok := into.(interface{ read(*json.Decoder) error }); ok {
		err = stream.read(answer)
	} else {
		err = answer.Decode(into)
	}
	if refused, ok := errors.AsType[Problems](err); ok {
		return refused // when it had begun to answer
	}
	if err != nil {
		return fmt.Errorf("read the answer of the server at %s: %w", c.socket, err)
	}
	return nil
}

// ErrNoServer is where nobody answers.
var ErrNoServer = errors.New("no server answers")

// noServerError is ErrNoServer with what to do.
type noServerError struct {
	socket string
	err    error
}

func (e noServerError) Error() string {
	return fmt.Sprintf("%v at %s: is it running, on this machine, with this configuration? (%v)", ErrNoServer, e.socket, e.err)
}

func (e noServerError) Is(target error) bool { return target == ErrNoServer }

func (e noServerError) Unwrap() error { return e.err }

// explain says what to do where nobody answers.
func (c *Client) explain(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return noServerError{c.socket, err}
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the server at %s is for the user that it runs as, and for root: %w", c.socket, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server at %s has not answered in time: %w", c.socket, err)
	}
	return fmt.Errorf("ask the server at %s: %w", c.socket, err)
}
