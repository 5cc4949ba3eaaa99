// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bytes is an amount of space. It is not negative.
type Bytes int64

// The units that sizes are written in.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
	PiB Bytes = 1 << 50
)

// unit is a unit and how it is written.
type unit struct {
	name string
	size Bytes
}

// units are what ParseBytes knows: those of IEC 80000-13, those of SI, and Kubernetes' short form of the former. Its short
// form of the latter (10G) is left out: JupyterHub reads the same letters as powers of two.
var units = []unit{
	{"PiB", PiB}, {"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
	{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3},
	{"Pi", PiB}, {"Ti", TiB}, {"Gi", GiB}, {"Mi", MiB}, {"Ki", KiB},
	{"B", 1},
}

// printed are the units that amounts are printed in: of two that are as good, the first.
var printed = []unit{
	{"PiB", PiB}, {"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
	{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
}

// String returns the amount as ParseBytes reads it, exactly: in the unit that it is the smallest whole number of, so that
// what somebody wrote as 20GB is not 19531250KiB to read.
func (b Bytes) String() string {
	number, name := strconv.FormatInt(int64(b), 10), "B"
	for _, u := range printed {
		if b == 0 || b%u.size != 0 {
			continue
		}
		if n := strconv.FormatInt(int64(b/u.size), 10); len(n) < len(number) {
			number, name = n, u.name
		}
	}
	return number + name
}

// ParseBytes reads a size: a whole number and a unit, such as 20GiB, 20 GiB, 20Gi (the same) or 20GB (20,000,000,000 bytes).
// What could be meant in two ways is an error that says which two.
func ParseBytes(s string) (Bytes, error) {
	b, err := parseBytes(strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("%s is not a size: %w", quote(s), err)
	}
	return b, nil
}

// howToWriteSizes is for who wrote something else.
const howToWriteSizes = "write a whole number and a unit, such as 20GiB"

func parseBytes(s string) (Bytes, error) {
	end := strings.IndexFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && c != '.' && c != ',' && c != '_' && c != '+' && c != '-'
	})
	if end < 0 {
		end = len(s)
	}
	number, name := s[:end], strings.TrimSpace(s[end:])
	switch {
	case number == "":
		return 0, errors.New(howToWriteSizes)
	case number[0] == '-':
		return 0, errors.New("it is negative; " + howToWriteSizes)
	}
	size, err := unitOf(number, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, tooLarge()
	case err != nil || number[0] == '+':
		return 0, fraction(number, size)
	case n > (math.MaxInt64-1)/int64(size):
		return 0, tooLarge()
	}
	return Bytes(n) * size, nil
}

// largest is for who wrote more than fits.
const largest = "the largest size is 8191PiB"

func tooLarge() error { return errors.New("it is too large; " + largest) }

// unitOf returns the size of a unit, or says which one was most likely meant.
func unitOf(number, name string) (Bytes, error) {
	if name == "" {
		return 0, fmt.Errorf("it has no unit; write %sGiB, %[1]sMiB or, if it is bytes, %[1]sB", number)
	}
	for _, u := range units {
		if u.name == name {
			return u.size, nil
		}
	}
	if name == "b" {
		return 0, fmt.Errorf("a small b is for bits; if it is bytes, write %sB", number)
	}
	letter := strings.ToUpper(name[:1])
	if strings.Contains("EZY", letter) && slices.Contains([]string{"", "i", "b", "ib"}, strings.ToLower(name[1:])) {
		return 0, fmt.Errorf("the largest unit is PiB; %s", largest)
	}
	if !strings.Contains("KMGTP", letter) {
		return 0, fmt.Errorf("nobody knows the unit %s; %s", quote(name), howToWriteSizes)
	}
	binary, decimal := number+letter+"iB", number+letter+"B"
	switch name[1:] {
	case "b", "bit", "bits":
		return 0, fmt.Errorf("a small b is for bits; write %s (powers of 1024) or %s (powers of 1000)", binary, decimal)
	case "":
		return 0, fmt.Errorf("%s is %s to JupyterHub and %s to Kubernetes; write one of these", number+name, binary, decimal)
	}
	for _, u := range units {
		if strings.EqualFold(u.name, name) {
			return 0, fmt.Errorf("upper and lower case matter; write %s", number+u.name)
		}
	}
	return 0, fmt.Errorf("nobody knows the unit %s; write %s (powers of 1024) or %s (powers of 1000)", quote(name), binary, decimal)
}

// fraction says how to write a number that is not one of digits alone, where it is plain which size it is.
func fraction(number string, size Bytes) error {
	f, err := strconv.ParseFloat(number, 64)
	exact := f * float64(size)
	if err == nil && exact >= 1 && exact < 1<<53 && exact == math.Trunc(exact) {
		return fmt.Errorf("%s is not a whole number; write %v", number, Bytes(exact))
	}
	return fmt.Errorf("%s is not a whole number; %s", number, howToWriteSizes)
}
