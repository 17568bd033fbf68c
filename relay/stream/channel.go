package stream

import (
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// ChannelID names a channel: the broadcaster's Ed25519 public key.
type ChannelID [ed25519.PublicKeySize]byte

// ChannelIDChars are the characters that a channel ID is written with: RFC 4648
// base32 in lower case, which survives every chat program, URL parser and double click.
const ChannelIDChars = "abcdefghijklmnopqrstuvwxyz234567"

var channelText = base32.NewEncoding(ChannelIDChars).WithPadding(base32.NoPadding)

// ChannelIDLen is the length of a channel ID in text, in characters.
const ChannelIDLen = 52

// ShortLen is the length of a channel ID's short form: enough to tell the
// channels of one node apart (40 bits), short enough to read aloud.
const ShortLen = 8

// IDOf returns the ID of the channel that key signs for.
func IDOf(key ed25519.PrivateKey) ChannelID {
	return ChannelID(key.Public().(ed25519.PublicKey))
}

// String returns the ID's text form, 52 characters.
func (id ChannelID) String() string { return channelText.EncodeToString(id[:]) }

// Short returns the first 8 characters of the text form, for addresses and logs.
func (id ChannelID) Short() string { return id.String()[:ShortLen] }

// ParseChannelID parses the text form. Its error says what is wrong with s.
func ParseChannelID(s string) (ChannelID, error) {
	var id ChannelID
	switch {
	case s == "":
		return id, errors.New("the channel ID is missing")
	case len(s) != ChannelIDLen:
		return id, fmt.Errorf("a channel ID has %d characters, this one has %d", ChannelIDLen, len(s))
	}
	s = strings.ToLower(s)
	b, err := channelText.DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder skips
		return id, errors.New("a channel ID is made of the letters a-z and the digits 2-7")
	}
	copy(id[:], b)
	if id.String() != s {
		return id, errors.New("the channel ID's last character is not one that occurs")
	}
	return id, nil
}
