package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/relay/oneline"
	"relay/relay/stream"
)

const (
	// namedFile is the file with the channels that domains have named.
	namedFile = "domains"
	// maxNamed bounds them; those that were named last are kept. maxNamedFile bounds what is read of the file, in
	// bytes: some 400 on a line.
	maxNamed     = 512
	maxNamedFile = 256 << 10
	// maxNamedAs bounds by what name a channel is remembered, in bytes: the longest domain, and a title.
	maxNamedAs = 512
)

// Named is a channel that a domain has named, when it was watched by that name last.
type Named struct {
	As      string // the domain, or DOMAIN/WHICH of several
	Channel stream.ChannelID
	At      time.Time
}

// NamedChannels returns the channels that domains have named, of the folder that [Open] opens as dir, the latest
// first. It makes nothing: a folder that is not there holds none.
func NamedChannels(dir string) ([]Named, error) {
	dir, err := Dir(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, namedFile)
	b, err := readBounded(path, maxNamedFile, "list of what domains have named")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var all []Named
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		n, err := parseNamed(line)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, i+1, err)
		}
		if len(all) < maxNamed {
			all = append(all, n)
		}
	}
	return all, nil
}

// RememberNamed keeps which channel a name means, in the place of what it has meant before, in the folder that
// [Open] opens as dir. The name is one line.
func RememberNamed(dir string, n Named) error {
	if n.As == "" || len(n.As) > maxNamedAs || strings.ContainsAny(n.As, "\r\n") {
		return fmt.Errorf("%s is no name to remember a channel by", oneline.Quote(n.As))
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	all, err := NamedChannels(s.dir)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(o Named) bool { return o.As == n.As })
	all = append([]Named{n}, all...)
	var b bytes.Buffer
	for _, o := range all[:min(len(all), maxNamed)] {
		fmt.Fprintf(&b, "%s %d %s\n", o.Channel, o.At.Unix(), o.As)
	}
	return replacePrivate(filepath.Join(s.dir, namedFile), b.Bytes())
}

func parseNamed(line string) (n Named, err error) {
	f := strings.SplitN(line, " ", 3)
	if len(f) < 3 || f[2] == "" || len(f[2]) > maxNamedAs {
		return n, errors.New("it is not an ID, a time and a name")
	}
	if n.Channel, err = stream.ParseChannelID(f[0]); err != nil {
		return n, err
	}
	sec, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return n, fmt.Errorf("%s is no time", oneline.Quote(f[1]))
	}
	n.As, n.At = f[2], time.Unix(sec, 0)
	return n, nil
}
