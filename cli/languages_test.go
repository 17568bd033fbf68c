package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"relay/cli/lang"
	"relay/cli/term"
	"relay/relay/relaytest"
)

// english finds a few words of a sentence.
var english = regexp.MustCompile(`\b(the|is|are|and|with|not|this|that|it|of|to) [a-z]+`)

// TestWhoMakesAMistakeIsToldInTheirLanguage runs commands on bad input in each language. No sentence comes in English, and none of Go's.
func TestWhoMakesAMistakeIsToldInTheirLanguage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flv, empty := filepath.Join(dir, "damaged.flv"), filepath.Join(dir, "empty.flv")
	for name, text := range map[string]string{flv: "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x63\xff\xff\xff", empty: ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := "relay://" + strings.Repeat("a", 52) + "@127.0.0.1:1"
	for i, c := range []string{
		"tree --http 127.0.0.1:1", "link --http 127.0.0.1:1", "watch http://127.0.0.1:1/", "watch relay://abc", "watch rtmp://a/b", "watch 999.1.1.1",
		"watch " + link + " --timeout 10ms --http 127.0.0.1:0 --listen 127.0.0.1:0 --admin off", "watch " + link + " --http 192.0.2.1:1", "watch " + link + " -o " + dir,
		"watch --timeout x", "watch --offset x", "watch --upload 1e999", "watch --upload 20", "watch --start x -o -", "watch --embed https://a/b " + link, "watch --keep x " + link,
		"source " + filepath.Join(dir, "none.flv"), "source " + dir, "source " + empty, "source " + flv, "source a b", "source --loop", "source x://y", "source --via x", "source --passphrase abc",
		"serve", "serve --list " + filepath.Join(dir, "none"), "key import " + filepath.Join(dir, "none"), "key frob", "frob", "wach", "watch --plaier x", "service", "update", "ready x", "doctor x",
	} {
		for j, code := range lang.Codes[1:] {
			if relaytest.Raced && j != i%len(lang.Codes[1:]) { // each run reads its language anew
				continue
			}
			said := runFor(t, dir, c+" --lang "+code, nil)
			// What is in quotation marks, names of files and commands to type are the same everywhere.
			for line := range strings.Lines(said) {
				if bad := english.FindString(line); bad != "" || goText.MatchString(line) {
					t.Errorf("%s: relay %s says %q in %s", code, c, bad, line)
				}
			}
			if !strings.Contains(said, "relay: ") || strings.Contains(said, "relay: hint") || code != "es" && strings.Contains(said, "relay: error") {
				t.Errorf("%s: relay %s:\n%s", code, c, said)
			}
		}
	}
}

// TestTheHelpIsInEveryLanguage looks up what the help says of each command and each flag. Commands to type are the same everywhere.
func TestTheHelpIsInEveryLanguage(t *testing.T) {
	shells := regexp.MustCompile(`relay (completion [a-z]+|man|service remove)\b`)
	for _, code := range lang.Codes[1:] {
		l, err := lang.Open(code)
		if err != nil {
			t.Fatal(err)
		}
		has := func(of, text string) {
			if _, right := term.Label(text); strings.HasPrefix(text, " ") {
				text = right
			}
			if says := l.In(text); text != "" && (says == text || english.MatchString(says)) && !shells.MatchString(text) {
				t.Errorf("%s: the help of relay %s says %q", code, of, says)
			}
		}
		for _, c := range testApp().VisibleCommands() {
			has(c.Name, c.Usage)
			for _, paragraph := range lang.Unbroken(c.Description) {
				has(c.Name, paragraph)
			}
			for _, f := range c.VisibleFlags() {
				d, ok := f.(cli.DocGenerationFlag)
				if !ok {
					t.Fatalf("relay %s: %T says nothing of itself", c.Name, f)
				}
				has(c.Name+" --"+f.Names()[0], d.GetUsage())
			}
		}
	}
}

// The headings that the help explains are those of the tables.
func TestTheHelpNamesTheHeadings(t *testing.T) {
	for _, code := range lang.Codes {
		l, err := lang.Open(code)
		if err != nil {
			t.Fatal(err)
		}
		app := testApp()
		for command, c := range map[string]struct{ header, named string }{
			"tree": {"NODE DEPTH SLOTS BEHIND LOST UPLOAD UP VERSION", "SLOTS BEHIND LOST UPLOAD"},
			"top":  {"NODE HOP DELAY LOST DOWN UP CAP SLOTS AGE LINK", "HOP DELAY LOST UP CAP SLOTS LINK"},
		} {
			var help strings.Builder
			for _, paragraph := range lang.Unbroken(app.Command(command).Description) {
				help.WriteString(l.In(paragraph) + "\n")
			}
			heads := strings.Fields(l.In(c.header))
			for i, name := range strings.Fields(c.header) {
				if strings.Contains(" "+c.named+" ", " "+name+" ") && !strings.Contains(help.String(), heads[i]) {
					t.Errorf("%s: the help of relay %s does not say what %s is:\n%s", code, command, heads[i], help.String())
				}
			}
		}
	}
}
