package directory

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"relay/relay/oneline"
	"relay/relay/stream"
)

const (
	// MaxBody bounds an announcement's body, in bytes.
	MaxBody = 4 << 10
	// How much of a text is kept, in characters, and of an address of the web, in bytes.
	MaxTitle       = 120
	MaxGenre       = 60
	MaxDescription = 500
	MaxComment     = 120
	MaxCodecs      = 60
	MaxURL         = 200
	// MaxPlaces bounds the places in an announcement.
	MaxPlaces = 8
	// TTL is how long an announcement counts if it does not say less, and the longest.
	TTL = 10 * time.Minute
	// leastTTL is the shortest: whoever wants to be listed announces more than once a minute else.
	leastTTL = time.Minute
	// Skew is how far the clocks of a broadcaster and a directory may be apart. It is less than TTL, so that
	// whatever is accepted is remembered for as long as it could be sent again.
	Skew = 5 * time.Minute
	// maxCount bounds listeners and bit/s: what is larger is no count.
	maxCount = 1_000_000_000
	// domain separates what is signed here from all else that a channel's key signs.
	domain = "relay/1 announce\x00"
)

// Announcement is what a broadcaster says of a channel. Texts that [Signed.Open] returns are one clean line each.
type Announcement struct {
	ID  stream.ChannelID
	Seq int64         // Unix ms by the broadcaster's clock, and more than in the announcement before
	TTL time.Duration // how long it counts, from Seq on; 0 takes the channel off the list

	Live        bool // media come
	Title       string
	Genre       string
	Description string
	Comment     string
	URL         string // http or https; "" for none
	Codecs      string // as in "H.264, AAC"
	Listeners   int    // in the whole tree, on the broadcaster's word; negative if not told
	BitRate     int    // bit/s; 0 if not known
	Places      []netip.AddrPort
	// PeerCast is where PeerCast programs get the channel, under the ID of pcp.ChannelID; zero for nowhere.
	PeerCast netip.AddrPort
}

// At is when it was made, by the broadcaster's clock.
func (a *Announcement) At() time.Time { return time.UnixMilli(a.Seq) }

// Until is how long it counts. One that takes a channel off the list is remembered for as long as those
// before it could have counted.
func (a *Announcement) Until() time.Time {
	if a.Gone() {
		return a.At().Add(TTL)
	}
	return a.At().Add(a.TTL)
}

// Gone reports whether it takes the channel off the list.
func (a *Announcement) Gone() bool { return a.TTL == 0 }

// clean bounds the texts and numbers, and makes each text one line that is fit to show.
func (a *Announcement) clean() {
	a.Title = oneline.Clean(a.Title, MaxTitle)
	a.Genre = oneline.Clean(a.Genre, MaxGenre)
	a.Description = oneline.Clean(a.Description, MaxDescription)
	a.Comment = oneline.Clean(a.Comment, MaxComment)
	a.Codecs = oneline.Clean(a.Codecs, MaxCodecs)
	a.URL = WebAddress(a.URL)
	a.Listeners = max(-1, min(a.Listeners, maxCount))
	a.BitRate = max(0, min(a.BitRate, maxCount))
	if a.TTL != 0 {
		a.TTL = max(leastTTL, min(a.TTL, TTL)).Truncate(time.Second)
	}
}

// WebAddress returns s if people may be sent there, or "": other schemes, such as javascript:, run in the page
// that links to them, and a name in front of an @ passes for the host.
func WebAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > MaxURL || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return "" // as no browser's address bar gives it
		}
	}
	return s
}

// Signed is an announcement as it is sent, kept and passed on: the body's bytes never change, since the signature
// is over them.
type Signed struct {
	Body string
	Sig  [ed25519.SignatureSize]byte
}

// ErrBody says that a body is no announcement.
var ErrBody = errors.New("it is no announcement")

// Sign makes a channel's announcement. Texts are cleaned and bounded; of a description that leaves no room the
// end is left out.
func Sign(key ed25519.PrivateKey, a Announcement) (Signed, error) {
	a.ID = stream.IDOf(key)
	a.clean()
	if len(a.Places) > MaxPlaces {
		a.Places = a.Places[:MaxPlaces]
	}
	body := appendBody(nil, a)
	for len(body) > MaxBody && a.Description != "" {
		runes := []rune(a.Description)
		a.Description = oneline.Clean(string(runes[:len(runes)*3/4]), MaxDescription)
		body = appendBody(body[:0], a)
	}
	if len(body) > MaxBody {
		return Signed{}, fmt.Errorf("the announcement has %d bytes, the most is %d", len(body), MaxBody)
	}
	s := Signed{Body: string(body)}
	copy(s.Sig[:], ed25519.Sign(key, signedBytes(s.Body)))
	return s, nil
}

// Verify reports whether the channel's key has signed the announcement.
func (s *Signed) Verify(id stream.ChannelID) bool {
	return ed25519.Verify(id[:], signedBytes(s.Body), s.Sig[:])
}

// signedBytes is what the signature is over.
func signedBytes(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return append([]byte(domain), sum[:]...)
}

// Open reads an announcement. It does not verify it. The error is [ErrBody], with what is wrong.
func (s *Signed) Open() (Announcement, error) {
	a := Announcement{Listeners: -1}
	ttl, hasID, hasSeq, hasTTL := int64(0), false, false, false
	err := readObject(s.Body, func(key string, v value) (err error) {
		switch key {
		case "id":
			var text string
			if text, err = v.text(); err == nil {
				a.ID, err = stream.ParseChannelID(text)
				if a.ID.String() != text {
					err = errors.New("its ID is not in lower case")
				}
			}
			hasID = true
		case "seq":
			a.Seq, err = v.number()
			hasSeq = true
		case "ttl":
			ttl, err = v.number()
			hasTTL = true
		case "live":
			a.Live, err = v.truth()
		case "title":
			a.Title, err = v.text()
		case "genre":
			a.Genre, err = v.text()
		case "description":
			a.Description, err = v.text()
		case "comment":
			a.Comment, err = v.text()
		case "url":
			a.URL, err = v.text()
		case "codecs":
			a.Codecs, err = v.text()
		case "listeners":
			a.Listeners, err = v.count()
		case "bitrate":
			a.BitRate, err = v.count()
		case "places":
			a.Places, err = v.places()
		case "peercast":
			a.PeerCast, err = v.gateway()
		}
		return err
	})
	switch {
	case err != nil:
		return a, fmt.Errorf("%w: %w", ErrBody, err)
	case !hasID || !hasSeq || !hasTTL:
		return a, fmt.Errorf("%w: id, seq or ttl is missing", ErrBody)
	case a.Seq <= 0 || a.Seq > maxSeq:
		return a, fmt.Errorf("%w: its seq is no time", ErrBody)
	case ttl < 0:
		return a, fmt.Errorf("%w: its ttl is negative", ErrBody)
	}
	a.TTL = min(time.Duration(min(ttl, int64(TTL/time.Second)))*time.Second, TTL)
	a.clean()
	return a, nil
}

// maxSeq is a time in the year 5138: sums with it do not overflow.
const maxSeq = 100_000_000_000_000
