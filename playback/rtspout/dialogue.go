package rtspout

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"relay/playback"
	"relay/playback/remux"
)

// talk leads the dialogue until the player plays.
func (p *player) talk() error {
	p.conn.SetDeadline(time.Now().Add(strangerTime))
	for range strangerAsks {
		q, err := next(p.r)
		if err != nil {
			return err
		}
		err = p.reply(q)
		if err != nil || p.viewing != nil {
			return err
		}
	}
	return errMany
}

// Answers. Their sentences are for the person at the player, which shows them where it shows anything.
const (
	ok           = "200 OK"
	badRequest   = "400 Bad Request"
	noChannel    = "404 There is no such channel here"
	noTrack      = "404 There is no such track"
	noPublishing = "405 This address only plays: send to relay source over RTMP"
	nothingYet   = "404 Nothing is sent on this channel yet: try again in a moment"
	noRoom       = "453 There are too many viewers here now: try again later"
	notSetUp     = "455 Set up a track first"
	noAggregate  = "459 Describe one channel in a connection"
	noTransport  = "461 Only unicast by TCP or UDP, the same for all tracks"
	noPause      = "501 A live stream cannot be paused"
	notPlayable  = "415 RTSP cannot carry the codecs of this channel: take its .flv address"
)

// publics are the methods that are served.
const publics = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER\r\n"

// reply answers one request of a dialogue.
func (p *player) reply(q request) error {
	switch q.method {
	case "OPTIONS", "GET_PARAMETER", "SET_PARAMETER":
		return p.write(p.said(q, ok, publics, nil))
	case "DESCRIBE":
		return p.describe(q)
	case "SETUP":
		return p.setup(q)
	case "PLAY":
		return p.begin(q)
	case "TEARDOWN":
		return errors.Join(errTornDown, p.write(p.said(q, ok, "", nil)))
	case "ANNOUNCE", "RECORD":
		return errors.Join(errPublish, p.write(p.said(q, noPublishing, "Allow: DESCRIBE, SETUP, PLAY\r\n", nil)))
	case "PAUSE":
		return p.write(p.said(q, noPause, "", nil))
	}
	return p.write(p.said(q, "501 Not Implemented", publics, nil))
}

// said is an answer.
func (p *player) said(q request, status, headers string, body []byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "RTSP/1.0 %s\r\nCSeq: %s\r\n", status, q.seq)
	if p.session != "" {
		fmt.Fprintf(&b, "Session: %s;timeout=%d\r\n", p.session, sessionTime)
	}
	b.WriteString(headers)
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return []byte(b.String())
}

func (p *player) write(b []byte) error {
	p.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := p.conn.Write(b)
	return err
}

// refuse answers, and ends the dialogue.
func (p *player) refuse(q request, status string) error {
	return errors.Join(errStream, p.write(p.said(q, status, "", nil)))
}

// look describes the channel that an address names, and reports why it cannot be had.
func (p *player) look(at place) (status string) {
	begins, known, err := p.server.config.Players.Beginning(p.conn.RemoteAddr(), at.name)
	switch {
	case errors.Is(err, playback.ErrNoChannel):
		return noChannel
	case err != nil:
		return "403 " + line1(err.Error())
	case !known:
		return nothingYet
	}
	sdp, err := remux.SDPOf(begins)
	switch {
	case err != nil:
		return notPlayable
	case !sdp.Pictures && !sdp.Sound:
		return nothingYet
	}
	p.asked, p.sdp = at, sdp
	return ""
}

// line1 is a sentence as an answer may have it.
func line1(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

func (p *player) describe(q request) error {
	at, well := parseURL(q.url)
	if !well {
		return p.refuse(q, badRequest)
	}
	if p.setUp != [2]bool{} {
		return p.refuse(q, noAggregate)
	}
	if status := p.look(at); status != "" {
		return p.refuse(q, status)
	}
	base := "Content-Type: application/sdp\r\nContent-Base: rtsp://" + at.host + "/" + at.name + "/\r\n"
	return p.write(p.said(q, ok, base, p.sdp.Text))
}

// setup notes how a track is wanted. Packets in the connection have the channels 0 and 1 for the track that was
// set up first, and 2 and 3 for the other: all who have them the same way share them.
func (p *player) setup(q request) error {
	at, well := parseURL(q.url)
	if !well {
		return p.refuse(q, badRequest)
	}
	if p.asked.name == "" {
		if status := p.look(at); status != "" {
			return p.refuse(q, status)
		}
	}
	n := at.track
	if n < 0 && p.sdp.Pictures != p.sdp.Sound { // the only one
		n = 0
		if p.sdp.Sound {
			n = 1
		}
	}
	if n < 0 || n > 1 || n == 0 && !p.sdp.Pictures || n == 1 && !p.sdp.Sound || p.setUp[n] {
		return p.refuse(q, noTrack)
	}
	another := p.setUp != [2]bool{}
	t, well := parseTransport(q.transport)
	if !well || another && t.udp != (p.udp != nil) {
		return p.write(p.said(q, noTransport, "", nil)) // it may ask for another
	}
	channel := 0
	if another {
		channel = 2
	}
	how := fmt.Sprintf("Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d\r\n", channel, channel+1)
	if t.udp {
		if p.udp == nil {
			p.udp = &datagrams{Conn: p.conn}
		}
		port, err := p.udp.open(channel, t)
		if err != nil {
			return p.refuse(q, noTransport)
		}
		how = fmt.Sprintf("Transport: RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d\r\n", t.rtp, t.rtcp, port, port+1)
	}
	if !another {
		p.first = n
		id := make([]byte, 8)
		rand.Read(id)
		p.session = hex.EncodeToString(id)
	}
	p.setUp[n] = true
	return p.write(p.said(q, ok, how, nil))
}

// begin asks for a place. The answer goes in front of the packets.
func (p *player) begin(q request) error {
	if p.setUp == [2]bool{} {
		return p.refuse(q, notSetUp)
	}
	var channels [2]int
	for i := range channels {
		switch {
		case !p.setUp[i]:
			channels[i] = -1
		case i != p.first:
			channels[i] = 2
		}
	}
	viewing, err := p.server.config.Players.Direct(p.conn.RemoteAddr(), p.asked.name, formOf(channels))
	switch {
	case errors.Is(err, playback.ErrNoChannel):
		return p.refuse(q, noChannel)
	case playback.IsFull(err):
		return p.refuse(q, noRoom)
	case err != nil:
		return p.refuse(q, "403 "+line1(err.Error()))
	}
	p.viewing, p.answer = viewing, p.said(q, ok, "Range: npt=now-\r\n", nil)
	return nil
}

// formOf is the form of packets with the tracks on those channels.
func formOf(channels [2]int) playback.Form {
	return playback.Form{
		Name: fmt.Sprintf("rtsp %d %d", channels[0], channels[1]),
		New:  func() playback.Container { return remux.NewRTP(channels[0], channels[1], time.Now()) },
	}
}

// linger tells who speaks something else, and lets who is refused read why: closing with unread input would throw that
// away.
func (p *player) linger(err error) {
	switch {
	case errors.Is(err, errHTTP):
		p.write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks RTSP: open rtsp:// in place of http://, in a player such as VLC.\n"))
	case errors.Is(err, errNoRTSP), errors.Is(err, errLong):
		p.write([]byte("RTSP/1.0 " + badRequest + "\r\n\r\n"))
	}
	if c, ok := p.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	p.conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, io.LimitReader(p.conn, strangerBytes))
}
