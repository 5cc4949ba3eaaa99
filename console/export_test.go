// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import "time"

// SetBeat has a server show signs of life more often, for tests, and SetSilence a client wait for less long.
func (s *Server) SetBeat(every time.Duration) { s.beatTime, s.lookTime = every, every }

func (c *Client) SetSilence(most time.Duration) { c.silenceTime = most }
