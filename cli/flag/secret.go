package flag

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/term"
)

// secretFileMost bounds a file with a secret, in bytes.
const secretFileMost = 4 << 10

// StreamKey reads --key; "" if it is not given.
func StreamKey(c *cli.Context) (string, error) {
	s := c.String("key")
	name, ok := strings.CutPrefix(s, "@")
	if !ok {
		return s, nil
	}
	key, err := readSecret(c, name)
	if key = strings.TrimSpace(key); err == nil && strings.ContainsAny(key, "\r\n") {
		err = errors.New("it has several lines")
	}
	if err != nil {
		return "", fault.Usage("it holds the key and nothing else, and has to be readable for you", "--key @%s: %w", name, err)
	}
	return key, nil
}

// Shown returns the names of the secret flags whose values others on this machine may see, because
// they are on the command line.
func Shown(c *cli.Context) (names []string) {
	for _, name := range secretFlags {
		if typed(c, name) && c.String(name) != "" && !strings.HasPrefix(c.String(name), "@") {
			names = append(names, name)
		}
	}
	return names
}

// readSecret reads a file that holds a secret, and warns if others can do so too.
func readSecret(c *cli.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", bareFile(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, secretFileMost+1))
	if err == nil && len(b) > secretFileMost {
		err = fmt.Errorf("it is longer than %d bytes", secretFileMost)
	}
	if err == nil && len(bytes.TrimSpace(b)) == 0 {
		err = errors.New("it is empty")
	}
	if err == nil {
		if text, hint := fault.Exposed(f, fault.ForOthers); text != "" {
			term.New(c.App.Writer, c.App.ErrWriter).Warn(text, hint)
		}
	}
	return string(b), err
}
