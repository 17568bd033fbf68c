//go:build e2e && linux

package main

import (
	"fmt"
	"slices"
	"strconv"

	"relay/ingest/flv"
)

// Each tag carries its number, so that a viewer knows which one it has without asking a clock. A
// decoder skips it: in a picture it is an SEI message of user data in front of all else, which
// also holds what makes the picture longer; in sound it is a data stream element.

const (
	digits = 8 // of a number, in hexadecimal: no two zero bytes, which H.264 would have to escape
	// pictureStart is the length of what FLV puts in front of a picture, and lengthLen that of
	// the length in front of each NAL unit.
	pictureStart, lengthLen = 5, 4
	// soundStart is the length of what FLV puts in front of sound.
	soundStart = 2
	// pictureDigits and soundDigits are where in a body the number begins.
	pictureDigits = pictureStart + lengthLen + 3 + len(seiMark)
	soundDigits   = soundStart + 2
	// headLen is how much of a body tells its number, at most.
	headLen = pictureDigits + digits
)

const (
	nalSEI       = 6
	seiUserData  = 5 // user_data_unregistered: 16 bytes that say whose it is, then anything
	seiEnd       = 0x80
	seiMark      = "relay/load\x01\x02\x03\x04\x05\x06"
	dataElement  = 0x80 // syntactic element 4 (ISO/IEC 14496-3, table 4.85), tag 0, without alignment
	escape       = 255  // the length of a data stream element from which another byte has the rest
	maxElement   = 2*escape - 1
	elementHead  = 3 // bytes, or 2 if the element is short
	avcPicture   = 1 // packet type
	aacFrame     = 1
	legacyAVC    = 7
	legacyAAC    = 10
	keyFrameType = 1
)

// numbered returns a picture with its number, and with filling of a length that makes the body
// at least size bytes long, or a few more. No byte of filling is 0.
func numberedPicture(body []byte, n, size int, filling func(int) []byte) []byte {
	unit := append([]byte{nalSEI, seiUserData, byte(len(seiMark) + digits)}, seiMark...)
	unit = fmt.Appendf(unit, "%08x", n)
	if pad := size - len(body) - lengthLen - len(unit) - 1; pad > 0 {
		length := len(seiMark) + pad
		unit = append(unit, seiUserData)
		unit = append(unit, slices.Repeat([]byte{0xff}, length/255)...)
		unit = append(unit, byte(length%255))
		unit = append(unit, seiMark...)
		unit = append(unit, filling(pad)...)
	}
	unit = append(unit, seiEnd)
	length := []byte{byte(len(unit) >> 24), byte(len(unit) >> 16), byte(len(unit) >> 8), byte(len(unit))}
	return slices.Concat(body[:pictureStart], length, unit, body[pictureStart:])
}

// numberedSound returns sound with its number, and with filling that makes the body size bytes
// long, or a few less; or with none if it is longer already.
func numberedSound(body []byte, n, size int, filling func(int) []byte) []byte {
	elements := fmt.Appendf([]byte{dataElement, digits}, "%08x", n)
	for pad := size - len(body) - len(elements); pad > elementHead; {
		length := min(pad-elementHead, maxElement)
		elements = append(elements, dataElement, byte(min(length, escape)))
		if length >= escape {
			elements = append(elements, byte(length-escape))
		}
		elements = append(elements, filling(length)...)
		pad -= elementHead + length
	}
	return slices.Concat(body[:soundStart], elements, body[soundStart:])
}

// numberOf returns the number in the start of a body, of which it needs [headLen] bytes, or all
// if there are fewer. The first skip bytes of the body are left out. It reports false if there is
// none.
func numberOf(typ flv.Type, start []byte, skip int) (int, bool) {
	at := soundDigits - skip
	if typ == flv.Video {
		at = pictureDigits - skip
	}
	if len(start) < at+digits {
		return 0, false
	}
	n, err := strconv.ParseUint(string(start[at:at+digits]), 16, 32)
	return int(n), err == nil
}

// frameStart is how much FLV puts in front of a frame, in bytes.
func frameStart(typ flv.Type) int {
	if typ == flv.Video {
		return pictureStart
	}
	return soundStart
}
