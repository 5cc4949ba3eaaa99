// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

// queue is the directories that are to be read. The deepest come first: so what is found is read before more is looked
// for, few homes are under way at once, and the queue stays short.
type queue struct {
	levels [][]*directory // by depth
	n      int
}

func (q *queue) push(d *directory) {
	for len(q.levels) <= d.depth {
		q.levels = append(q.levels, nil)
	}
	q.levels[d.depth] = append(q.levels[d.depth], d)
	q.n++
}

// pop returns one of the deepest; nil where there is none.
func (q *queue) pop() *directory {
	for len(q.levels) > 0 {
		level := &q.levels[len(q.levels)-1]
		if last := len(*level) - 1; last >= 0 {
			d := (*level)[last]
			(*level)[last] = nil
			*level = (*level)[:last]
			q.n--
			return d
		}
		q.levels = q.levels[:len(q.levels)-1]
	}
	return nil
}
