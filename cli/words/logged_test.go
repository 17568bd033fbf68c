package words

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"relay/cli/term"
)

// TestEveryWarningOfTheLogHasItsSentence looks for the warnings in all source files.
func TestEveryWarningOfTheLogHasItsSentence(t *testing.T) {
	warning := regexp.MustCompile(`(?i)\blog(?:ger)?(?:\([^)]*\))?\.(?:Warn|Error|DPanic)\(("[^"]*"|[^,)]*)`)
	found := map[string]bool{}
	for _, room := range []string{"cli", "ingest", "playback", "relay", "tree"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range warning.FindAllSubmatch(text, -1) {
				message := strings.Trim(string(m[1]), `"`)
				if _, ok := logged[message]; !ok {
					t.Errorf("%s: %s is not in the table", path, m[1])
				}
				found[message] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for message := range logged {
		if !found[message] {
			t.Errorf("nothing warns of %q", message)
		}
	}
}

func TestWarningsAreSentencesWithoutVerbose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := &fs.PathError{Op: "open", Path: "/k", Err: fs.ErrPermission}
		var out bytes.Buffer
		log := NewLog(term.New(io.Discard, &out), false)
		log.With(zap.String("channel", "karp6ufz")).Warn("remember the channel's nodes", zap.Error(lost))
		log.Warn("the channel's key is used twice", zap.Uint64("chunk", 7))
		log.Info("stream comes in")
		for i := range 3 {
			log.Warn("accept", zap.Error(fmt.Errorf("number %d: %w", i, errors.New("\x1b[2Jx"))))
		}
		log.Sync()
		want := "relay: warning: the nodes of channel karp6ufz cannot be kept for the next run: /k: you do not have the permission for that\n" +
			"relay: warning: no connection can be taken now: number 0: \ufffd[2Jx\n" +
			"relay: warning: no connection can be taken now: number 2: \ufffd[2Jx (and so 2 times more)\n"
		if out.String() != want {
			t.Errorf("%q", out.String())
		}
	})
}

func TestAWarningThatIsInNoTableSaysItselfAndItsError(t *testing.T) {
	if got := sentence("something new", []zapcore.Field{zap.Error(fs.ErrPermission)}); got != "something new: you do not have the permission for that" {
		t.Error(got)
	}
}
