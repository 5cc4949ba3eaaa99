// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import "log/slog"

const defaultLevel = slog.LevelInfo

// level reads from which level on things are logged.
func (r *reader) level(v value) {
	s, ok := r.text(v, "info")
	if !ok {
		return
	}
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, known := levels[s]
	if !known {
		r.wrong(v, "%s is not a level; write debug, info, warn or error", shortened(s))
		return
	}
	r.config.Log.Level = level
}
