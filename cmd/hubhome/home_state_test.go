// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// TestUnreadableShown: whoever looks at a home that cannot be counted sees why, and whoever has it checked too, with an exit code.
func TestUnreadableShown(t *testing.T) {
	const fault = `read "prod/ada/d": input/output error`
	home := console.HomeDetail{Home: console.Home{Hub: "prod", Name: console.NewName("ada"), State: quota.Unreadable, Fault: fault, Unread: 1}}
	var out bytes.Buffer
	if err := writeHome(&out, &home, nil); err != nil || !strings.Contains(out.String(), "cannot be counted") || !strings.Contains(out.String(), fault+"\n") {
		t.Errorf("home show: %v\n%s", err, out.String())
	}
	out.Reset()
	if err := homesTable(&out, []console.Home{home.Home}); err != nil || !strings.Contains(out.String(), "unreadable") {
		t.Errorf("home list: %v\n%s", err, out.String())
	}
	for _, repair := range []bool{false, true} {
		out.Reset()
		r := checkReport{out: &out, repair: repair}
		r.add(store.Checked{Hub: "prod", Home: "ada", Fault: fault})
		r.add(store.Checked{Hub: "prod", Home: "bob", Believed: true})
		err := r.verdict()
		if exit, ok := errors.AsType[exitError](err); err == nil || ok && exit.code == exitDiffer || !strings.Contains(err.Error(), "1 of 2 directories") {
			t.Errorf("store check: %v", err)
		}
		if line := "prod/ada: cannot be counted: " + fault; !strings.Contains(out.String(), line) {
			t.Errorf("store check says:\n%s", out.String())
		}
	}
}
