// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// pause is how long it is until the next look at what is going by itself, or until the next try. It is a look and not
	// a watch: a run is a few seconds long, and a watch would take one more permission on the cluster's volumes.
	pause = 500 * time.Millisecond
	// settling is how long it may take until a role that Helm has just made is in force.
	settling = 10 * time.Second
)

// Prepare gets a volume and its claim to where Helm can make or change them, and says each thing that it does as a line
// to out. It ends when ctx does, at the latest. The error is *Refused where somebody has to decide something first,
// *Forbidden where the API server does not permit it, *Late where ctx ended before, and another one where the API server
// did not take what it was asked.
func Prepare(ctx context.Context, c *Client, want Volume, out io.Writer) error {
	p := &preparation{client: c, want: want, out: out, settled: time.Now().Add(settling), described: map[types.UID]bool{}}
	for {
		again, err := p.step(ctx)
		if err == nil && !again {
			return nil
		}
		if err != nil && (!again || !p.passing(ctx, err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return p.late()
		case <-time.After(pause):
		}
	}
}

// preparation is one run.
type preparation struct {
	client *Client
	want   Volume
	out    io.Writer
	// settled is when the API server has its last word on what is permitted.
	settled time.Time
	// said is the last line, which is not said twice in a row.
	said string
	// waiting is what is waited for, if anything is.
	waiting string
	// failed is the last error that is worth another try, other than that the time is over.
	failed error
	// described are the objects that are in the log.
	described map[types.UID]bool
}

// step looks at what is there and does one thing about it. It tells whether there may be more to do, or to try again where
// there is an error.
func (p *preparation) step(ctx context.Context) (again bool, err error) {
	is, err := p.client.state(ctx, p.want)
	if err != nil {
		return true, err
	}
	next := plan(p.want, is)
	p.waiting = ""
	if next.do == refuse {
		return false, &Refused{next.why}
	}
	p.say(next.why)
	switch next.do {
	case finish:
		return false, nil
	case wait:
		p.waiting = next.why
		return true, nil
	case retain:
		return true, p.client.patch(ctx, is.volume, map[string]any{"persistentVolumeReclaimPolicy": "Retain"})
	case release:
		return true, p.client.patch(ctx, is.volume, claimRef(nil))
	case adopt:
		return true, p.client.patch(ctx, is.volume, claimRef(is.claim.UID))
	case deleteClaim:
		if err := p.describe(is); err != nil {
			return false, err
		}
		return true, p.client.deleteClaim(ctx, is.claim)
	case deleteVolume:
		if err := p.describe(is); err != nil {
			return false, err
		}
		return true, p.client.deleteVolume(ctx, is.volume)
	}
	panic("no such step as " + next.do)
}

// claimRef is the change of a volume's spec to the claim with a UID, or with nil to one that is to come.
func claimRef(uid any) map[string]any {
	return map[string]any{"claimRef": map[string]any{"uid": uid, "resourceVersion": nil}}
}

// say writes a line, unless it was the last one.
func (p *preparation) say(line string) {
	if line != p.said {
		fmt.Fprintln(p.out, line)
		p.said = line
	}
}

// describe writes objects before they are deleted, so that somebody can make them again by hand.
func (p *preparation) describe(is state) error {
	if v := is.volume; v != nil && !p.described[v.UID] {
		text, err := manifest(v)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "The volume as it was:\n---\n%s", text)
		p.described[v.UID] = true
	}
	if c := is.claim; c != nil && !p.described[c.UID] {
		text, err := manifest(c)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "The claim as it was:\n---\n%s---\n", text)
		p.described[c.UID] = true
	}
	return nil
}

// passing tells whether an error may be another one the next time.
func (p *preparation) passing(ctx context.Context, err error) bool {
	if _, forbidden := errors.AsType[*Forbidden](err); forbidden {
		return time.Now().Before(p.settled) // Helm made the role a moment ago
	}
	switch {
	case ctx.Err() != nil:
		return true
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return true // it is no longer as it was seen: look again
	case apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err),
		apierrors.IsInternalError(err), apierrors.IsServiceUnavailable(err):
	case apierrors.ReasonForError(err) != metav1.StatusReasonUnknown:
		return false
	}
	p.say(fmt.Sprintf("the API server cannot be asked: %v: trying again", err))
	p.failed = err
	return true
}

// late says what there was to wait for when the time was over.
func (p *preparation) late() error {
	if p.waiting != "" {
		return &Late{What: p.waiting}
	}
	if p.failed != nil {
		return &Late{What: "the API server cannot be asked", Err: p.failed}
	}
	return &Late{What: "the API server has not answered"}
}
