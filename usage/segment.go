// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

// A state's file is a line that says what it is and of which version, and segments: a byte for the kind, the length of the
// content in four bytes, the content, and the CRC-32C of all that in four bytes, little-endian.
const (
	magic        = "hubhome usage state "
	stateVersion = 1
	// maxSegment is the longest content in bytes.
	maxSegment = 1 << 20
	// segmentHead and segmentTail are in bytes.
	segmentHead, segmentTail = 5, 4
)

// The kinds of segments.
const (
	// headSegment is a header as JSON, and the first.
	headSegment = 'H'
	// recordSegment has the names of hub and home, and records of the home.
	recordSegment = 'L'
	// rowSegment has the names of hub and home, and what the home holds, as JSON.
	rowSegment = 'R'
	// endSegment is the last of a scan that came to its end.
	endSegment = 'E'
	// goneSegment has the names of hub and home. What the file says of it before is no more.
	goneSegment = 'G'
)

// header says of what a state is.
type header struct {
	Source string `json:"source"`
	// Began is when the scan began, in milliseconds.
	Began int64 `json:"beganUnixMilli"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendSegment encodes a segment.
func appendSegment(b []byte, kind byte, content ...[]byte) []byte {
	at, n := len(b), 0
	for _, c := range content {
		n += len(c)
	}
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	for _, c := range content {
		b = append(b, c...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// The ways in which a file is no state.
var (
	errForeign = errors.New("it is no state of hubhome usage")
	errDamaged = errors.New("it is damaged")
)

// newerError is the error of a state that a later hubhome wrote.
type newerError string

func (e newerError) Error() string {
	return fmt.Sprintf("it is of version %s, and this hubhome reads version %d", string(e), stateVersion)
}

// readSegments calls fn for the segments of a file; content is valid until it returns. good is where the last segment that
// is whole ends. The error is nil where that is the end of the file.
func readSegments(f *os.File, fn func(kind byte, at int64, content []byte) error) (good int64, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(f, 1<<20)
	line, err := r.ReadString('\n')
	version, ours := strings.CutPrefix(strings.TrimSuffix(line, "\n"), magic)
	switch {
	case err == io.EOF && strings.HasPrefix(fmt.Sprintf("%s%d\n", magic, stateVersion), line):
		return 0, errDamaged
	case err != nil && err != io.EOF:
		return 0, err
	case !ours || err == io.EOF:
		return 0, errForeign
	case version != fmt.Sprint(stateVersion):
		return 0, newerError(version)
	}
	head := int64(len(line))
	at := head
	var buf []byte
	for {
		var kind byte
		if kind, buf, err = readSegment(r, buf); err == io.EOF {
			return at, nil
		} else if err != nil {
			return at, err
		}
		if (kind == headSegment) != (at == head) {
			return at, errDamaged
		}
		content := buf[segmentHead : len(buf)-segmentTail]
		if err := fn(kind, at+segmentHead, content); err != nil {
			return at, err
		}
		at += int64(len(buf))
	}
}

// readSegment reads a segment into buf; io.EOF where there is none.
func readSegment(r io.Reader, buf []byte) (kind byte, _ []byte, err error) {
	buf = append(buf[:0], make([]byte, segmentHead)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return 0, buf, torn(err)
	}
	n := binary.LittleEndian.Uint32(buf[1:])
	if n > maxSegment {
		return 0, buf, errDamaged
	}
	buf = append(buf, make([]byte, n+segmentTail)...)
	if _, err := io.ReadFull(r, buf[segmentHead:]); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, buf, torn(err)
	}
	end := len(buf) - segmentTail
	if binary.LittleEndian.Uint32(buf[end:]) != crc32.Checksum(buf[:end], castagnoli) {
		return 0, buf, errDamaged
	}
	return buf[0], buf, nil
}

// torn is the error of a segment that is not all there.
func torn(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errDamaged
	}
	return err
}
