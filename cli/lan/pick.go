package lan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"relay/cli/ask"
	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback"
	"relay/relay/discovery"
	"relay/relay/naming"
)

// maxReply bounds a line that answers a question, in bytes.
const maxReply = 4096

// Pick looks for the channel that name means, or for any channel if name is "". If there are
// several, it asks which one, provided that somebody can be asked.
func Pick(ctx context.Context, t *term.Terminal, log *zap.Logger, in io.Reader, d Config, name string) (*Channel, error) {
	meant := (*Catalog).choice
	if name != "" {
		meant = func(c *Catalog) []*Channel { return c.named(name) }
	}
	t.Show(t.Lang.In("looking for channels on this network"))
	cat, asked, err := d.Look(ctx, log, lookFor, func(c *Catalog) bool {
		ss := meant(c)
		return len(ss) > 0 && ss[0].State != discovery.Lost
	})
	t.Show("")
	if err != nil || ctx.Err() != nil {
		return nil, err
	}
	ss := meant(cat)
	switch {
	case len(ss) == 0 && name != "":
		return nil, &fault.Error{Err: cat.missed(name), Hint: cat.insteadOf(name, asked), Code: fault.ExitNobody}
	case len(cat.Channels) == 0:
		return nil, NoneFound(asked)
	case len(ss) == 1:
		return ss[0], nil
	case term.IsKeyboard(in) && t.ErrTTY:
		return choose(ctx, t, in, ss)
	case name != "":
		return nil, fault.Usage("there is "+seenText(ss)+"; an ID names one", "%d channels on this network are called %q", len(ss), name)
	}
	return nil, fault.Usage("name one: relay watch "+ss[0].ID.Short()+". There is "+seenText(ss), "there are %d channels on this network", len(ss))
}

// insteadOf says what to give in the place of a name that no channel here has.
func (c *Catalog) insteadOf(name string, asked []discovery.Asked) string {
	_, others := AskedText(asked)
	machine := ask.MachineName(name)
	switch {
	case ask.MediaFile(name):
		return "if that is a file: relay source broadcasts it, and VLC or mpv plays it"
	case machine && strings.Contains(name, "."):
		return fmt.Sprintf("if that is a machine and no channel, name its port: relay watch %s:%d", name, playback.DefaultPort)
	case machine && len(c.Channels) > 0:
		return fmt.Sprintf("there is %s; relay list shows more. If that is a machine and no channel: relay watch %s:%d", seenText(c.Sorted()), name, playback.DefaultPort)
	case len(c.Channels) > 0:
		return fmt.Sprintf("there is %s; relay list shows more", seenText(c.Sorted()))
	case machine && others:
		return fmt.Sprintf("there is no other channel either: is relay source running, in the same network and without --no-discovery or --private? If that is a machine: relay watch %s:%d", name, playback.DefaultPort)
	case others:
		return "there is no other channel either: is relay source running, in the same network and without --no-discovery or --private? Otherwise give the link that it prints: relay watch LINK"
	case machine:
		return fmt.Sprintf("nobody could be asked but this machine itself, which has no other network now. If that is a machine: relay watch %s:%d", name, playback.DefaultPort)
	}
	return "nobody could be asked but this machine itself, which has no other network now: connect it to the network of relay source"
}

// choose asks which of several channels to take. It returns nil if ctx ends first.
func choose(ctx context.Context, t *term.Terminal, in io.Reader, ss []*Channel) (*Channel, error) {
	i, err := Choose(ctx, t, in, fmt.Sprintf("%d channels on this network:", len(ss)), Table(ss, t.Lang.In)[1:], func(line string) int { return chosen(line, ss) })
	switch {
	case err != nil:
		return nil, fault.Usage("name it: relay watch "+ss[0].ID.Short(), "%w", err)
	case i < 0:
		return nil, nil
	}
	return ss[i], nil
}

// errNotChosen says that the input has ended.
var errNotChosen = errors.New("no channel was chosen")

// Choose shows numbered rows and asks which one, until there is an answer. meant is the index of the row that an
// answer means which is no number, -1 for none. It returns -1 if ctx ends first, and fails if the input does.
func Choose(ctx context.Context, t *term.Terminal, in io.Reader, heading string, rows []string, meant func(string) int) (int, error) {
	t.Say("%s", heading)
	for i, l := range rows {
		t.Print(t.Lang.In(fmt.Sprintf("%4d  %s", i+1, term.Clean(l)))) // a row of a table, which is not folded
	}
	lines, ended := make(chan string), make(chan error, 1)
	go func() { // ends with the input, or with the process: nothing else ends a read of a terminal
		r := bufio.NewReader(in)
		for {
			line, err := readLine(r)
			if err != nil {
				ended <- err
				return
			}
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		t.Show(t.Lang.In(fmt.Sprintf("Which one? [1-%d] ", len(rows))))
		select {
		case <-ctx.Done():
			return -1, nil
		case <-ended:
			return -1, errNotChosen
		case line := <-lines:
			t.Typed()
			if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(rows) {
				return n - 1, nil
			}
			if i := meant(line); i >= 0 {
				return i, nil
			}
			t.Say("%q is none of them.", line)
		}
	}
}

var errLongLine = errors.New("the line is too long")

// readLine reads a line of at most maxReply bytes.
func readLine(r *bufio.Reader) (string, error) {
	var b []byte
	for len(b) < maxReply {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return strings.TrimSpace(string(b)), nil
		}
		b = append(b, c)
	}
	return "", errLongLine
}

// chosen returns the index of the channel that an answer means by its name; -1 if there is no such channel.
func chosen(line string, ss []*Channel) int {
	if is := naming.Meant(asTold(line), calledOf(ss)); len(is) == 1 {
		return is[0]
	}
	return -1
}
