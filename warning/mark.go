// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

// slack is how far below a mark it must have been, in percent of the quota, for somebody to be told of it again: else who
// writes and removes one file at a mark would be told of at each. Of a low mark it is half.
const slack = 5

// highest is the highest of marks, in ascending order, that is not above a percentage; 0: none is.
func highest(marks []int, percent float64) int {
	mark := 0
	for _, m := range marks {
		if float64(m) <= percent {
			mark = m
		}
	}
	return mark
}

// held is the highest of marks, in ascending order, that something at a percentage is not well below; 0: none is.
func held(marks []int, percent float64) int {
	mark := 0
	for _, m := range marks {
		if float64(m)-min(slack, float64(m)/2) <= percent {
			mark = m
		}
	}
	return mark
}

// pass says what is to be remembered as told of something that is full to a percentage, and whether somebody is to be told of
// it first. told is what was remembered.
func pass(marks []int, percent float64, told int) (mark int, news bool) {
	if now := highest(marks, percent); now > told {
		return now, true
	}
	return min(told, held(marks, percent)), false
}
