// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"net/url"
	"strings"
)

// defaultAt is when somebody is told, in percent.
var defaultAt = []int{80, 90, 100}

// warnAt reads at which parts of a quota somebody is told.
func (r *reader) warnAt(v value) {
	const most = 8
	r.config.Warnings.At = nil
	r.list(v, "[80, 90, 100]", func(v value) {
		n, ok := r.number(v, 1, 100, "80")
		at := &r.config.Warnings.At
		switch {
		case !ok:
		case len(*at) == most:
			r.wrong(v, "is the %dth; %d are enough", most+1, most)
		case len(*at) > 0 && n <= (*at)[len(*at)-1]:
			r.wrong(v, "%d is not above the one before, %d; write them in ascending order", n, (*at)[len(*at)-1])
		default:
			*at = append(*at, n)
		}
	})
}

// warnFile reads where warnings are written to.
func (r *reader) warnFile(v value) {
	if s, ok := r.text(v, "./warnings.jsonl"); ok && s == Stdout {
		r.config.Warnings.File = Stdout
	} else if ok {
		r.path(v, "./warnings.jsonl", &r.config.Warnings.File)
	}
}

// webhook reads the URL that warnings are posted to, or the path of a file that has it.
func (r *reader) webhook(v value) {
	s, ok := r.text(v, "https://chat.example.org/hooks/homes")
	if !ok {
		return
	}
	if !strings.Contains(s, ":") {
		r.path(v, "/run/secrets/webhook", &r.config.Warnings.WebhookFile)
		return
	}
	if wrong := CheckWebhook(s); wrong != "" {
		r.wrong(v, "%s, or the path of a file that has it", wrong)
		return
	}
	r.config.Warnings.Webhook = s
}

// CheckWebhook says what is wrong with the URL of a webhook, without the URL itself, which is often a secret. Empty: nothing.
func CheckWebhook(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "is not a URL of http or https; write one such as https://chat.example.org/hooks/homes"
	}
	return ""
}
