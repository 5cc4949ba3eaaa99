// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat's times, a hundredth of a second on every Linux that Go runs on (USER_HZ).
const tick = 10 * time.Millisecond

// cpu is the processor time that a server has used (proc(5), /proc/pid/stat, fields 14 and 15).
func (s *server) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0
	}
	// The second field is the program's name in parentheses, and may have spaces.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	inUser, _ := strconv.Atoi(fields[11])
	inKernel, _ := strconv.Atoi(fields[12])
	return time.Duration(inUser+inKernel) * tick
}

// rss is the memory that a server holds, in MiB (proc(5), /proc/pid/status).
func (s *server) rss() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}
