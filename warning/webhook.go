// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxPause is the longest that a receiver may ask for until it is tried again.
const maxPause = time.Hour

// maxURL is the longest file with a URL that is read, in bytes.
const maxURL = 8 << 10

// poster posts. A redirect is not followed: a POST would arrive as a GET, and who is asked to be told is told, and no other.
var poster = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// laterError is an error of a receiver that says when to try again.
type laterError struct {
	error
	after time.Duration
}

// refusedError is the error of a receiver that may take other warnings.
type refusedError struct{ error }

// aboutOne tells whether a status may be about the one warning that was posted: not where it is about who posts, where to, or
// when.
func aboutOne(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout,
		http.StatusGone, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4 || status == http.StatusInternalServerError
}

// post posts a warning. The error never has the URL, which is often a secret.
func (s *Settings) post(ctx context.Context, n *Warning) error {
	to, err := s.url()
	if err != nil {
		return err
	}
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.Agent)
	res, err := poster.Do(req)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return fmt.Errorf("post to the webhook: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("the webhook answered %s", res.Status)
	if after, wrong := strconv.Atoi(res.Header.Get("Retry-After")); wrong == nil && after > 0 {
		return laterError{err, min(maxPause, time.Duration(min(after, int(maxPause/time.Second)))*time.Second)}
	}
	if aboutOne(res.StatusCode) {
		return refusedError{err}
	}
	return err
}

// url returns where to post to. A file is read each time, so that a secret can be exchanged.
func (s *Settings) url() (string, error) {
	if s.WebhookFile == "" {
		return s.Webhook, nil
	}
	f, err := os.OpenFile(s.WebhookFile, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that nobody writes to must not be waited for
	if err != nil {
		return "", fmt.Errorf("read the webhook's URL: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxURL))
	if err != nil {
		return "", fmt.Errorf("read the webhook's URL: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%s does not have a URL of http or https", s.WebhookFile)
	}
	return text, nil
}
