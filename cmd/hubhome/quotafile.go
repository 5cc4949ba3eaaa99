// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
)

// Bounds of a file with quotas.
const (
	maxQuotaFile   = 32 << 20 // bytes
	maxQuotaErrors = 20
)

// quotaColumns are the columns of such a file. The last may be missing.
var quotaColumns = []string{"hub", "home", "quota", "inodes"}

// readQuotas reads quotas from CSV (RFC 4180), with the line of each. Where lines are wrong the error names them all, up to
// a bound, and there are no quotas.
func readQuotas(r io.Reader, file string) (changes []console.QuotaChange, lines []int, err error) {
	limited := &io.LimitedReader{R: r, N: maxQuotaFile + 1}
	in := csv.NewReader(withoutMark(limited))
	in.FieldsPerRecord = 0 // as many as the first has
	at, err := quotaHeader(in)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, nil, fmt.Errorf("read the quotas: %w", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s:1: %w", file, err)
	}
	var wrong []error
	first := map[[2]string]int{}
	for {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", file, parse.Line, parse.Err))
			if !errors.Is(err, csv.ErrFieldCount) {
				break // where the next line begins is not plain
			}
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", file, err)
		}
		line, _ := in.FieldPos(0)
		change, err := quotaRecord(record, at)
		if key := [2]string{string(change.Hub), change.Name.String()}; err == nil {
			if before, twice := first[key]; twice {
				err = fmt.Errorf("%s/%s is here a second time, after line %d: take one of them out", key[0], readable(key[1]), before)
			}
			first[key] = line
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", file, line, err))
			if len(wrong) == maxQuotaErrors {
				wrong = append(wrong, errors.New("and perhaps more: the rest was not looked at"))
				break
			}
			continue
		}
		changes, lines = append(changes, change), append(lines, line)
	}
	switch {
	case limited.N == 0:
		return nil, nil, fmt.Errorf("%s is longer than %d bytes: make it several files", file, maxQuotaFile)
	case len(wrong) > 0:
		return nil, nil, errors.Join(append(wrong, errors.New("nothing was changed"))...)
	case len(changes) == 0:
		return nil, nil, fmt.Errorf("%s has no line for a home", file)
	}
	return changes, lines, nil
}

// writeQuotas writes quotas that were set at run time as readQuotas reads them. What was not set is "default" and not empty:
// who reads it has the same then, whatever was set before. Names are written as they are, but one with CR LF in it, which CSV
// would not bring back, is an error, and then there are no quotas.
func writeQuotas(w io.Writer, quotas []console.SetQuota) error {
	for i := range quotas {
		if name := quotas[i].Name.String(); strings.Contains(name, "\r\n") {
			return fmt.Errorf("the name of the home %s/%q cannot be in CSV: write --output json, and set its quota by hand", quotas[i].Hub, name)
		}
	}
	out := csv.NewWriter(w)
	out.Write(quotaColumns)
	for i := range quotas {
		q := &quotas[i]
		out.Write([]string{string(q.Hub), q.Name.String(), setBytesText(q.Override.Bytes), setInodesText(q.Override.Inodes)})
	}
	out.Flush()
	return out.Error()
}

// withoutMark leaves out the byte order mark that spreadsheets put before UTF-8: behind it a quotation mark is none to a reader
// of CSV.
func withoutMark(r io.Reader) io.Reader {
	const mark = "\ufeff"
	in := bufio.NewReader(r)
	if begin, _ := in.Peek(len(mark)); string(begin) == mark {
		in.Discard(len(mark))
	}
	return in
}

// quotaHeader reads the names of the columns, and returns where each is.
func quotaHeader(in *csv.Reader) (at map[string]int, err error) {
	const how = "begin with the line hub,home,quota or hub,home,quota,inodes"
	record, err := in.Read()
	if _, unreadable := errors.AsType[*fs.PathError](err); unreadable {
		return nil, err
	}
	if err != nil {
		return nil, errors.New(how)
	}
	if len(record) == 1 && strings.Contains(record[0], ";") {
		return nil, errors.New("commas are between the fields of a line, and not semicolons: " + how)
	}
	at = map[string]int{}
	for i, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := at[name]; twice || !slices.Contains(quotaColumns, name) {
			return nil, fmt.Errorf("%s is not the name of a column, or is there twice: %s", strconv.Quote(shortened(name)), how)
		}
		at[name] = i
	}
	for _, name := range quotaColumns[:3] {
		if _, there := at[name]; !there {
			return nil, fmt.Errorf("the column %s is missing: %s", name, how)
		}
	}
	return at, nil
}

// shortened is what somebody wrote, or the beginning of it: a file may be something else than a table.
func shortened(text string) string {
	const most = 40 // bytes
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

// quotaRecord reads one line.
func quotaRecord(record []string, at map[string]int) (c console.QuotaChange, err error) {
	if c.Hub, err = hubhome.ParseHubName(record[at["hub"]]); err != nil {
		return c, err
	}
	home := record[at["home"]]
	if home == "" || strings.Contains(home, "/") {
		return c, fmt.Errorf("%q is not the name of a home's directory", home)
	}
	c.Name, c.Bytes = console.NewName(home), strings.TrimSpace(record[at["quota"]])
	if i, there := at["inodes"]; there {
		c.Inodes = strings.TrimSpace(record[i])
	}
	if c.Bytes == "" && c.Inodes == "" {
		return c, fmt.Errorf("nothing is said of the quota of %s/%s: write a size, unlimited or default", c.Hub, readable(home))
	}
	return c, checkChange(&c)
}
