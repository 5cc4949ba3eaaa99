// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

// Pass is pass, for tests.
var Pass = pass
