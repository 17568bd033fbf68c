package index

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"relay/relay/refusal"
)

const (
	fieldCount = 19
	separator  = "<>"
)

// Bounds are what a list may cost. A zero field stands for its default.
type Bounds struct {
	Channels int             // lines that are kept; 20,000
	Line     int             // bytes of one line; 16 KiB
	Bytes    int             // read in all; 32 MiB
	Refused  *refusal.Counts // counts the lines that were left out, by reason; nil for none
}

// The defaults of [Bounds]. The largest pages ever had some hundred channels, of 300 bytes each.
const (
	defaultChannels = 20_000
	defaultLine     = 16 << 10
	defaultBytes    = 32 << 20
)

// Why a line was left out.
const (
	WrongFields refusal.Reason = "index_fields" // not 19 of them
	WrongID     refusal.Reason = "index_id"     // not 32 hex digits
	LongLine    refusal.Reason = "index_long"   // more bytes than a line may have
)

var (
	// ErrNotIndex says that no line was a channel's, although there were lines: a web page, say.
	ErrNotIndex = errors.New("not a list of channels")
	// ErrTooLong says that the list has more than its bounds allow. What was read before is good.
	ErrTooLong = errors.New("the list of channels is too long")
)

// Parse reads a list. Lines with a mistake are left out. With [ErrTooLong], or an error of r, it
// returns the channels so far as well. A list without lines is a list of no channels. It holds no
// more memory than Bounds.Line and what it returns.
func Parse(r io.Reader, b Bounds) ([]Channel, error) {
	b = b.withDefaults()
	limited := &io.LimitedReader{R: r, N: int64(b.Bytes) + 1}
	lines := bufio.NewReaderSize(limited, b.Line)
	var list []Channel
	some := false
	for first := true; ; first = false {
		line, whole, err := nextLine(lines)
		if err == io.EOF && limited.N == 0 {
			return list, ErrTooLong
		}
		if first {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			some = true
			c, why := parseLine(line)
			if !whole {
				why = LongLine
			}
			switch {
			case why != "":
				b.Refused.Add(why)
			case len(list) == b.Channels:
				return list, ErrTooLong
			default:
				list = append(list, c)
			}
		}
		switch {
		case err == io.EOF && some && len(list) == 0:
			return nil, ErrNotIndex
		case err == io.EOF:
			return list, nil
		case err != nil:
			return list, err
		}
	}
}

// ParseLine reads one line, such as a person has copied, and reports whether it is one.
func ParseLine(line string) (Channel, bool) {
	if len(line) > defaultLine {
		return Channel{}, false
	}
	c, why := parseLine(strings.TrimRight(line, "\r\n"))
	return c, why == ""
}

func (b Bounds) withDefaults() Bounds {
	for _, d := range []struct {
		of  *int
		def int
	}{{&b.Channels, defaultChannels}, {&b.Line, defaultLine}, {&b.Bytes, defaultBytes}} {
		if *d.of <= 0 {
			*d.of = d.def
		}
	}
	return b
}

// nextLine returns the next line, or the beginning of one that does not fit r's buffer, whose
// rest it skips. A line that the list's end cuts off counts as whole.
func nextLine(r *bufio.Reader) (line string, whole bool, err error) {
	b, err := r.ReadSlice('\n')
	line = string(b)
	if err != bufio.ErrBufferFull {
		return line, true, err
	}
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}
	return line[:min(len(line), 1)], false, err
}

// parseLine reads a line of any bytes.
func parseLine(line string) (c Channel, why refusal.Reason) {
	if strings.Count(line, separator) != fieldCount-1 {
		return c, WrongFields
	}
	f := strings.Split(text(line), separator)
	id, ok := ParseID(f[1])
	if !ok {
		return c, WrongID
	}
	for i := range f {
		f[i] = plain(f[i])
	}
	c = Channel{
		Name: f[0], ID: id, Tip: f[2], Contact: f[3], Genre: f[4], Description: f[5],
		Listeners: count(f[6]), Relays: count(f[7]), Kbps: count(f[8]), Type: f[9],
		Artist: f[10], Album: f[11], Title: f[12], TrackURL: f[13],
		Uptime: uptime(f[15]), Comment: f[17], Direct: f[18] == "1",
	}
	return c.clean(), ""
}

// count reads a number; what is none, or out of range, is hidden.
func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxCount {
		return Hidden
	}
	return n
}

// uptime reads hours and minutes, 0 if they are something else.
func uptime(s string) time.Duration {
	h, m, _ := strings.Cut(s, ":")
	hours, err := strconv.ParseUint(h, 10, 32)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	if err != nil || err2 != nil || minutes > 59 || hours > uint64(maxUptime/time.Hour) {
		return 0
	}
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
}
