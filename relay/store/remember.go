package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/relay/oneline"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// maxRemembered bounds the nodes of a channel that are kept between runs.
	maxRemembered = 64
	// rememberFor is how long a node is kept that has not been seen again.
	rememberFor = 30 * 24 * time.Hour
	// maxMembersFile bounds what is read of the file, in bytes: an ID, a time and
	// tree.MaxAddrs addresses on each of maxRemembered lines, twice over.
	maxMembersFile = 64 << 10
)

// known is a node that was seen in a channel.
type known struct {
	place tree.Place
	seen  time.Time
}

func (s *Store) membersPath(channel stream.ChannelID) string {
	return filepath.Join(s.dir, channelsDir, channel.String()+membersExt)
}

// Remember keeps where nodes of a channel that were seen now can be dialled, and the
// latest of those seen earlier, maxRemembered in all. A file that cannot be read is
// replaced.
func (s *Store) Remember(channel stream.ChannelID, places []tree.Place, now time.Time) error {
	old, _ := s.known(channel, now)
	var ks []known
	add := func(k known) {
		same := func(o known) bool { return o.place.ID == k.place.ID }
		if len(ks) < maxRemembered && !k.place.ID.IsZero() && len(k.place.Addrs) > 0 && !slices.ContainsFunc(ks, same) {
			ks = append(ks, k)
		}
	}
	for _, p := range places {
		add(known{unzoned(p), now})
	}
	for _, k := range old {
		add(k)
	}
	var b bytes.Buffer
	for _, k := range ks {
		b.WriteString(k.line())
	}
	return replacePrivate(s.membersPath(channel), b.Bytes())
}

// Remembered returns where nodes of a channel could be dialled when it was last
// watched, those seen last first.
func (s *Store) Remembered(channel stream.ChannelID, now time.Time) ([]tree.Place, error) {
	ks, err := s.known(channel, now)
	var ps []tree.Place
	for _, k := range ks {
		ps = append(ps, k.place)
	}
	return ps, err
}

func (s *Store) known(channel stream.ChannelID, now time.Time) ([]known, error) {
	path := s.membersPath(channel)
	b, err := readBounded(path, maxMembersFile, "list of nodes")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ks []known
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		k, err := parseKnown(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(ks)+1, err)
		}
		if len(ks) == maxRemembered {
			break
		}
		if !now.After(k.seen.Add(rememberFor)) {
			ks = append(ks, k)
		}
	}
	slices.SortStableFunc(ks, func(x, y known) int { return y.seen.Compare(x.seen) })
	return ks, nil
}

// line is the node as parseKnown reads it, with the line's end.
func (k known) line() string {
	l := fmt.Sprintf("%s %d", k.place.ID, k.seen.Unix())
	for _, a := range k.place.Addrs {
		l += fmt.Sprintf(" %s", a)
	}
	return l + "\n"
}

func parseKnown(line string) (known, error) {
	f := strings.Fields(line)
	if len(f) < 3 || len(f) > 2+tree.MaxAddrs {
		return known{}, errors.New("it is not an ID, a time and addresses")
	}
	id, err := tree.ParseID(f[0])
	if err != nil {
		return known{}, err
	}
	sec, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return known{}, fmt.Errorf("%s is no time", oneline.Quote(f[1]))
	}
	k := known{tree.Place{ID: id}, time.Unix(sec, 0)}
	for _, s := range f[2:] {
		a, err := netip.ParseAddrPort(s)
		if err != nil || !wire.Dialable(a) {
			return known{}, fmt.Errorf("%s is no address to dial", oneline.Quote(s))
		}
		k.place.Addrs = append(k.place.Addrs, a)
	}
	return k, nil
}

// unzoned leaves out addresses with a zone, which mean something on this machine now and
// nowhere else.
func unzoned(p tree.Place) tree.Place {
	var addrs []netip.AddrPort
	for _, a := range p.Addrs {
		if a.Addr().Zone() == "" {
			addrs = append(addrs, a)
		}
	}
	return tree.Place{ID: p.ID, Addrs: addrs}
}
