// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

// circle sees that what goes on from one thing to the next goes round. It remembers one thing, of ever longer ago (R. P. Brent,
// An improved Monte Carlo factorization algorithm, 1980): a circle is found after three times its length and that of the way
// into it at most, and a way of any length takes no memory. The zero value of T is where every way begins.
type circle[T comparable] struct {
	seen         T
	steps, until uint64
}

// step tells whether a thing is seen again.
func (c *circle[T]) step(at T) (again bool) {
	if at == c.seen {
		return true
	}
	if c.steps == c.until {
		c.seen, c.steps, c.until = at, 0, max(1, 2*c.until)
	}
	c.steps++
	return false
}
