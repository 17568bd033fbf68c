package cli

import (
	"os"
	"runtime"
	"strings"

	"relay/cli/fault"
	"relay/cli/lang"
	"relay/cli/term"
)

// speak chooses the language of what is said from now on, and returns the arguments without --lang. That is no flag of
// a command, as it counts before the command line is read, of whose mistakes it tells.
func speak(t *term.Terminal, args []string) ([]string, error) {
	w := lang.Wishes{Getenv: os.Getenv, UTF8: term.SpeaksUTF8(os.Getenv, runtime.GOOS), System: lang.System()}
	asked, args := lang.Asked(args)
	code := w.Choose()
	if asked == "" {
		asked = os.Getenv("RELAY_LANG")
	}
	if asked != "" {
		var ok bool
		if code, ok = lang.Code(asked); !ok {
			return nil, fault.Usage("it speaks "+strings.Join(lang.Codes, ", "), "relay does not speak %q", asked)
		}
		if !w.Shows(code) {
			code = lang.English
		}
	}
	var err error
	t.Lang, err = lang.Open(code)
	return args, err
}
