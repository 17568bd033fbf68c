package cast

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"relay/relay/oneline"
)

// Origin is that of the page by which a device plays: it gets media from a server that lets scripts of this site.
const Origin = "https://www.gstatic.com"

// receiver is the app that plays what it is told, the Default Media Receiver.
const receiver = "CC1AD845"

// Whom messages come from and go to, and what they are about.
const (
	sender   = "sender-0"
	platform = "receiver-0"

	aboutConnection = "urn:x-cast:com.google.cast.tp.connection"
	aboutHeartbeat  = "urn:x-cast:com.google.cast.tp.heartbeat"
	aboutReceiver   = "urn:x-cast:com.google.cast.receiver"
	aboutMedia      = "urn:x-cast:com.google.cast.media"
)

const (
	dialTime  = 5 * time.Second
	writeTime = 5 * time.Second
	pingEvery = 5 * time.Second
	// silence is how long a device may say nothing at all: three heartbeats.
	silence = 3 * pingEvery
	// launchTime is how long it may take to start the app, out of standby, and loadTime to begin to play.
	launchTime = 30 * time.Second
	loadTime   = 30 * time.Second
	// stopTime is how long it may take to close the app.
	stopTime = 2 * time.Second
)

// Why a session has ended.
var (
	ErrGone     = errors.New("the device says nothing more")
	ErrSilent   = errors.New("the device does not answer")
	ErrTaken    = errors.New("the device plays something else now, or was stopped there")
	ErrEnded    = errors.New("the stream has ended")
	ErrNonsense = errors.New("what answers there does not speak CASTV2")
	ErrLaunch   = errors.New("the device does not start its player")
	ErrLoad     = errors.New("the device cannot play the stream")
)

// Media is what a device is to play.
type Media struct{ URL, Title string }

// Session is a connection to a device. It belongs to one goroutine.
type Session struct {
	conn    *tls.Conn
	in      chan message
	ended   error // of the reader, before in is closed
	readers sync.WaitGroup
	request int

	session, transport string // of the app; "" before
	loaded             int    // the request that loads
	playing            bool
}

// Dial connects to a device.
func Dial(ctx context.Context, to netip.AddrPort) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // the package says why
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	s := &Session{conn: conn.(*tls.Conn), in: make(chan message)}
	return s, nil
}

// Local is this machine's address in the device's network.
func (s *Session) Local() netip.Addr {
	at, _ := netip.ParseAddrPort(s.conn.LocalAddr().String()) // TCP's
	return at.Addr().Unmap()
}

// Close closes the connection.
func (s *Session) Close() { s.conn.Close() }

// Play has the device play until ctx ends, which is no error, or something else ends it, and leaves it as it was.
// told is called with each new state of the player: BUFFERING, PLAYING, PAUSED, IDLE. It closes the session.
func (s *Session) Play(ctx context.Context, m Media, told func(state string)) error {
	stop := make(chan struct{})
	s.readers.Go(func() { s.read(stop) }) // ends with stop and the connection
	defer s.readers.Wait()
	defer s.conn.Close()
	defer close(stop)
	err := s.play(ctx, m, told)
	if err != ErrGone && err != ErrNonsense {
		s.leave()
	}
	return err
}

func (s *Session) read(stop <-chan struct{}) {
	defer close(s.in)
	for {
		s.conn.SetReadDeadline(time.Now().Add(silence))
		m, err := readMessage(s.conn)
		if err != nil {
			s.ended = ErrGone
			if err == errFrame {
				s.ended = ErrNonsense
			}
			return
		}
		select {
		case s.in <- m:
		case <-stop:
			return
		}
	}
}

// say sends what v is in JSON.
func (s *Session) say(to, about string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := s.conn.Write(message{sender, to, about, string(text)}.frame()); err != nil {
		return ErrGone
	}
	return nil
}

// ask sends what is to be answered, and returns its number.
func (s *Session) ask(to, about string, v map[string]any) (int, error) {
	s.request++
	v["requestId"] = s.request
	return s.request, s.say(to, about, v)
}

type plain struct {
	Type string `json:"type"`
}

func (s *Session) play(ctx context.Context, m Media, told func(string)) error {
	if err := s.say(platform, aboutConnection, plain{"CONNECT"}); err != nil {
		return err
	}
	if _, err := s.ask(platform, aboutReceiver, map[string]any{"type": "LAUNCH", "appId": receiver}); err != nil {
		return err
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	late := time.NewTimer(launchTime)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ping.C:
			if err := s.say(platform, aboutHeartbeat, plain{"PING"}); err != nil {
				return err
			}
		case <-late.C:
			return ErrSilent
		case in, ok := <-s.in:
			if !ok {
				return s.ended
			}
			begun := s.transport != ""
			state, err := s.take(in)
			if err != nil {
				return err
			}
			if !begun && s.transport != "" {
				if err := s.load(m); err != nil {
					return err
				}
				late.Reset(loadTime)
			}
			if s.playing {
				late.Stop()
			}
			if state != "" {
				told(state)
			}
		}
	}
}

func (s *Session) load(m Media) (err error) {
	if err := s.say(s.transport, aboutConnection, plain{"CONNECT"}); err != nil {
		return err
	}
	s.loaded, err = s.ask(s.transport, aboutMedia, map[string]any{
		"type": "LOAD", "sessionId": s.session, "autoplay": true,
		"media": map[string]any{
			"contentId": m.URL, "contentType": "application/x-mpegURL", "streamType": "LIVE",
			"hlsSegmentFormat": "fmp4", "hlsVideoSegmentFormat": "fmp4",
			"metadata": map[string]any{"metadataType": 0, "title": m.Title},
		},
	})
	return err
}

// said is what a device says.
type said struct {
	Type      string          `json:"type"`
	RequestID int             `json:"requestId"`
	Reason    string          `json:"reason"`
	Detail    int             `json:"detailedErrorCode"`
	Status    json.RawMessage `json:"status"`
}

// take takes a message, and returns the player's state if it tells that.
func (s *Session) take(in message) (state string, err error) {
	var m said
	if json.Unmarshal([]byte(in.text), &m) != nil {
		return "", ErrNonsense
	}
	switch {
	case in.namespace == aboutHeartbeat && m.Type == "PING":
		return "", s.say(in.from, aboutHeartbeat, plain{"PONG"})
	case in.namespace == aboutConnection && m.Type == "CLOSE":
		s.session = ""
		return "", ErrTaken
	case m.Type == "LAUNCH_ERROR":
		return "", fmt.Errorf("%w (%s)", ErrLaunch, oneline.Clean(m.Reason, maxName))
	case in.namespace == aboutReceiver && m.Type == "RECEIVER_STATUS":
		return "", s.running(m.Status)
	case in.namespace == aboutReceiver && m.Type == "INVALID_REQUEST":
		return "", fmt.Errorf("%w (%s)", ErrLaunch, oneline.Clean(m.Reason, maxName))
	case in.namespace != aboutMedia || s.loaded == 0:
		return "", nil
	case m.Type == "MEDIA_STATUS":
		return s.shown(m)
	case m.RequestID == s.loaded:
		if m.Detail != 0 {
			return "", fmt.Errorf("%w (%s, %d)", ErrLoad, oneline.Clean(m.Type, maxName), m.Detail)
		}
		return "", fmt.Errorf("%w (%s)", ErrLoad, oneline.Clean(m.Type, maxName))
	}
	return "", nil
}

// running reads which apps there are.
func (s *Session) running(status json.RawMessage) error {
	var of struct {
		Applications []struct {
			AppID       string `json:"appId"`
			SessionID   string `json:"sessionId"`
			TransportID string `json:"transportId"`
		} `json:"applications"`
	}
	if json.Unmarshal(status, &of) != nil {
		return ErrNonsense
	}
	for _, a := range of.Applications {
		switch {
		case s.session == "" && a.AppID == receiver && a.SessionID != "" && a.TransportID != "":
			s.session, s.transport = a.SessionID, a.TransportID
			return nil
		case s.session != "" && a.SessionID == s.session:
			return nil
		}
	}
	if s.session != "" {
		s.session = ""
		return ErrTaken
	}
	return nil // it is still starting
}

// shown reads what the player does.
func (s *Session) shown(m said) (string, error) {
	var of []struct {
		State string `json:"playerState"`
		Idle  string `json:"idleReason"`
	}
	if json.Unmarshal(m.Status, &of) != nil {
		return "", ErrNonsense
	}
	if len(of) == 0 {
		return "", nil
	}
	switch st := of[0]; {
	case st.State != "IDLE":
		s.playing = s.playing || m.RequestID == s.loaded || st.State == "PLAYING"
		return oneline.Clean(st.State, maxName), nil
	case !s.playing && st.Idle != "ERROR":
		return "", nil // what was there before
	case st.Idle == "ERROR":
		return "", ErrLoad
	case st.Idle == "FINISHED":
		return "", ErrEnded
	default:
		return "", ErrTaken
	}
}

// leave closes the app, if it is still ours, so that the TV shows what it did before.
func (s *Session) leave() {
	if s.session != "" {
		last := time.After(stopTime)
		if _, err := s.ask(platform, aboutReceiver, map[string]any{"type": "STOP", "sessionId": s.session}); err != nil {
			return
		}
		for s.session != "" {
			select {
			case in, ok := <-s.in:
				if !ok {
					return
				}
				if in.namespace == aboutReceiver {
					_, _ = s.take(in) // forgets the session
				}
			case <-last:
				s.session = ""
			}
		}
	}
	_ = s.say(platform, aboutConnection, plain{"CLOSE"}) // as a courtesy
}
