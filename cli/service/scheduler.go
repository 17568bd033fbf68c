package service

import (
	"context"
	"encoding/xml"
	"errors"
	"os"
	"os/user"
	"regexp"
	"strings"

	"relay/cli/fault"
	"relay/cli/words"
)

// scheduler is the Task Scheduler of Windows. What its programs say is in the user's language, but for
// what they say as XML.
type scheduler struct{ h Here }

func (s scheduler) ready(context.Context) error {
	if !there("schtasks") {
		return fault.Fail(words.ServiceByHand, words.ServiceNoProgram, "schtasks")
	}
	return nil
}

// registered returns the task as the scheduler has it; "" for none.
func (s scheduler) registered(ctx context.Context) string {
	said, err := asked(ctx, "schtasks", "/Query", "/TN", Name, "/XML")
	if err != nil {
		return ""
	}
	return said
}

// check fails if there is a task that is not ours as it was made, unless that is meant to go.
func (s scheduler) check(task string, force bool) error {
	if task == "" || force || taskIsOurs(task) {
		return nil
	}
	return fault.Fail(words.ServiceForce, words.ServiceChanged, Name)
}

func (s scheduler) install(ctx context.Context, w What, force bool) error {
	there := s.registered(ctx)
	if err := s.check(there, force); err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return fault.Fail("", "%w", err)
	}
	f, err := os.CreateTemp("", "relay-task-*.xml")
	if err != nil {
		return fault.Fail("", "%w", err)
	}
	defer os.Remove(f.Name())
	w.Args = Logged(s.h.Log, w.Args)
	_, err = f.WriteString(utf16File(strings.ReplaceAll(Task(w), "%USER%", escaped(me.Username))))
	if err = errors.Join(err, f.Close()); err != nil {
		return fault.Fail("", "%w", err)
	}
	if there != "" { // one that runs would go on with what it was told before
		_, _ = asked(ctx, "schtasks", "/End", "/TN", Name)
	}
	if _, err := asked(ctx, "schtasks", "/Create", "/TN", Name, "/XML", f.Name(), "/F"); err != nil {
		return err
	}
	s.h.T.Say(words.ServiceTask, Name)
	s.h.T.Say(words.ServiceRuns, w.command())
	if _, err := asked(ctx, "schtasks", "/Run", "/TN", Name); err != nil {
		return err
	}
	s.h.T.Say(words.ServiceStartedAtLogin)
	s.h.T.Say(words.ServiceNext, "type "+s.h.Log)
	return nil
}

func (s scheduler) remove(ctx context.Context, force bool) error {
	task := s.registered(ctx)
	if task == "" {
		return &fault.Error{Err: errors.New(words.ServiceNotInstalled), Hint: words.ServiceInstallHint, Code: fault.ExitNobody}
	}
	if err := s.check(task, force); err != nil {
		return err
	}
	_, _ = asked(ctx, "schtasks", "/End", "/TN", Name)
	if _, err := asked(ctx, "schtasks", "/Delete", "/TN", Name, "/F"); err != nil {
		return err
	}
	s.h.T.Say(words.ServiceRemoved, Name)
	return nil
}

func (s scheduler) status(ctx context.Context) (Status, error) {
	if s.registered(ctx) == "" {
		return Status{}, nil
	}
	st := Status{Installed: true, Boot: true, Log: s.h.Log, Lines: newestOf(s.h.Log)}
	st.Process, st.Since, st.Running = runs(s.h.Log)
	return st, nil
}

// taskParts are what says whose a task is, and what it runs.
var taskParts = struct{ source, command, arguments *regexp.Regexp }{
	regexp.MustCompile(`(?s)<Source>(.*?)</Source>`),
	regexp.MustCompile(`(?s)<Command>(.*?)</Command>`),
	regexp.MustCompile(`(?s)<Arguments>(.*?)</Arguments>`),
}

// taskIsOurs reports whether a task runs what we have said.
func taskIsOurs(task string) bool {
	part := func(of *regexp.Regexp) (text string) {
		if m := of.FindStringSubmatch(task); m != nil {
			_ = xml.Unmarshal([]byte("<x>"+m[1]+"</x>"), &text)
		}
		return text
	}
	sum, ok := strings.CutPrefix(part(taskParts.source), marker)
	return ok && sum == taskSum(part(taskParts.command), part(taskParts.arguments))
}
