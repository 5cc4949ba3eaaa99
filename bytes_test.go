// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"math"
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
)

func TestParseBytes(t *testing.T) {
	for written, want := range map[string]hubhome.Bytes{
		"20GiB": 20 * hubhome.GiB, "20 GiB": 20 * hubhome.GiB, "20Gi": 20 * hubhome.GiB, " 1TiB ": hubhome.TiB,
		"20GB": 20_000_000_000, "5kB": 5000, "5KB": 5000, "5KiB": 5120, "4096B": 4096, "0B": 0, "007MiB": 7 * hubhome.MiB,
		"8191PiB": 8191 * hubhome.PiB,
	} {
		got, err := hubhome.ParseBytes(written)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", written, got, err, want)
			continue
		}
		again, err := hubhome.ParseBytes(got.String())
		if err != nil || again != got {
			t.Errorf("%q is printed as %q, which is %d: %v", written, got, again, err)
		}
	}
}

// TestBytesString: an amount is printed in the unit that it was most likely written in.
func TestBytesString(t *testing.T) {
	for b, want := range map[hubhome.Bytes]string{
		0: "0B", 1: "1B", 1023: "1023B", 1024: "1KiB", 1000: "1kB", 20 * hubhome.GiB: "20GiB", 1536 * hubhome.MiB: "1536MiB",
		20e9: "20GB", 10e6: "10MB", 1024000: "1000KiB", 123456789: "123456789B", 5e15: "5PB", math.MaxInt64: "9223372036854775807B",
	} {
		if got := b.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(b), got, want)
		}
	}
}

// TestNotBytes: what is wrong with a size is said, and how to write what was most likely meant.
func TestNotBytes(t *testing.T) {
	for written, says := range map[string]string{
		"":                        "such as 20GiB",
		"GiB":                     "such as 20GiB",
		"-5GiB":                   "negative",
		"10":                      "no unit; write 10GiB, 10MiB or, if it is bytes, 10B",
		"10 Gb":                   "a small b is for bits; write 10GiB (powers of 1024) or 10GB (powers of 1000)",
		"10G":                     "10G is 10GiB to JupyterHub and 10GB to Kubernetes",
		"10g":                     "10GiB to JupyterHub",
		"10gb":                    "a small b is for bits",
		"10giB":                   "upper and lower case matter; write 10GiB",
		"10gib":                   "upper and lower case matter; write 10GiB",
		"10b":                     "if it is bytes, write 10B",
		"10GIB":                   "upper and lower case matter; write 10GiB",
		"10 gigs":                 "nobody knows the unit \"gigs\"; write 10GiB (powers of 1024)",
		"10 bytes":                "nobody knows the unit \"bytes\"",
		"1.5GiB":                  "1.5 is not a whole number; write 1536MiB",
		"1,5GiB":                  "1,5 is not a whole number",
		"1_000MiB":                "not a whole number",
		"+5GiB":                   "write 5GiB",
		"1e3GiB":                  "nobody knows the unit",
		"8192PiB":                 "too large; the largest size is 8191PiB",
		"1EiB":                    "the largest unit is PiB; the largest size is 8191PiB",
		"1E":                      "the largest unit is PiB",
		"10eggs":                  "nobody knows the unit \"eggs\"",
		"99999999999999999999GiB": "too large",
		"9007199254740992KiB":     "too large",
	} {
		got, err := hubhome.ParseBytes(written)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %d, %v; want an error with %q", written, got, err, says)
		}
	}
}

func TestQuotas(t *testing.T) {
	for written, want := range map[string]hubhome.Bytes{"unlimited": hubhome.Unlimited, "1B": 1, "20GiB": 20 * hubhome.GiB} {
		got, err := hubhome.ParseQuotaBytes(written)
		if err != nil || got != want || hubhome.FormatQuotaBytes(got) != written {
			t.Errorf("%q: %v, %v", written, got, err)
		}
	}
	for _, written := range []string{"0GiB", "0B", "Unlimited", "none", "-1GiB"} {
		if got, err := hubhome.ParseQuotaBytes(written); err == nil || !strings.Contains(err.Error(), "unlimited") {
			t.Errorf("%q: %v, %v", written, got, err)
		}
	}
	for written, want := range map[string]int64{"unlimited": math.MaxInt64, "1": 1, "1000000": 1e6} {
		got, err := hubhome.ParseQuotaInodes(written)
		if err != nil || got != want || hubhome.FormatQuotaInodes(got) != written {
			t.Errorf("%q: %v, %v", written, got, err)
		}
	}
	for written, says := range map[string]string{
		"0": "1 or more", "-1": "1 or more", "1.5": "1 or more", "1k": "1 or more", "": "1 or more",
		"9223372036854775807": "too large", "99999999999999999999": "too large",
	} {
		if got, err := hubhome.ParseQuotaInodes(written); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v", written, got, err)
		}
	}
	own := hubhome.Quota{Bytes: 5}
	if got := own.Or(hubhome.Quota{Bytes: 7, Inodes: 8}); got != (hubhome.Quota{Bytes: 5, Inodes: 8}) {
		t.Errorf("what is not said: %+v", got)
	}
}
