package cli

import (
	"regexp"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/cli/manual"
)

func TestManualHasEverything(t *testing.T) {
	app := testApp()
	page := manual.Page(app, Version)
	at := 0
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"} {
		i := strings.Index(page, ".SH \""+section+"\"\n")
		if i < at {
			t.Errorf("section %s is at %d, the one before it at %d", section, i, at)
		}
		at = i
	}
	for _, cmd := range app.VisibleCommands() {
		if !strings.Contains(page, "\n.SS \""+manual.Roff(cmd.UsageText)+"\"\n") {
			t.Errorf("%s is not in it", cmd.Name)
		}
		for _, f := range cmd.VisibleFlags() {
			if !strings.Contains(page, "\n.B "+manual.Roff(manual.FlagTerm(f))+"\n") {
				t.Errorf("%s %s is not in it", cmd.Name, manual.FlagTerm(f))
			}
		}
	}
	for _, e := range fault.ExitCodes {
		if !strings.Contains(page, e.About) && !strings.Contains(page, manual.Roff(e.About)) {
			t.Errorf("exit code %d is not in it", e.Code)
		}
	}
	if strings.Contains(page, manual.CompleteCommand) {
		t.Error("a hidden command is in it")
	}
}

// The page uses only known macros and escapes, so roff renders each line as intended.
func TestManualIsWellFormed(t *testing.T) {
	macro := regexp.MustCompile(`^\.(TH|SH|SS|TP|PP|br|B|nf|fi|RS|RE|nh|ad)( |$)`)
	escape := regexp.MustCompile(`\\(e|-|&|\(aq|\(ga|\(ha|\(ti|\(dq)`)
	depth, filled := 0, true
	for i, l := range strings.Split(manual.Page(testApp(), Version), "\n") {
		if strings.HasPrefix(l, "'") || strings.HasPrefix(l, ".") && !macro.MatchString(l) {
			t.Errorf("line %d is no macro of ours: %s", i+1, l)
		}
		if rest := escape.ReplaceAllString(l, ""); strings.ContainsAny(rest, "\\`") {
			t.Errorf("line %d: %s", i+1, l)
		}
		switch l {
		case ".RS":
			depth++
		case ".RE":
			depth--
		case ".nf":
			filled = false
		case ".fi":
			filled = true
		}
		if strings.HasPrefix(l, ".SH") && (depth != 0 || !filled) {
			t.Errorf("line %d begins a section inside an example", i+1)
		}
	}
	if depth != 0 || !filled {
		t.Error("an example does not end")
	}
}

func TestRoffOfAnyTextIsText(t *testing.T) {
	for in, want := range map[string]string{
		".so /etc/passwd": `\&.so /etc/passwd`,
		"'x":              `\(aqx`,
		`a\b`:             `a\eb`,
		"--flag":          `\-\-flag`,
		"`x`":             `\(gax\(ga`,
	} {
		if got := manual.Roff(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
