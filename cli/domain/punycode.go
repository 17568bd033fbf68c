package domain

import (
	"strings"
	"unicode/utf8"
)

// The parameters of Punycode (RFC 3492 §5).
const (
	punyBase, punyMin, punyMax    = 36, 1, 26
	punySkew, punyDamp            = 38, 700
	punyFirstBias, punyFirstPoint = 72, 0x80
	punyDigits                    = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// punycoded writes a label of letters beyond ASCII in those that DNS knows, without the prefix xn--. The label has
// at most maxLabel characters.
func punycoded(label string) string {
	var b strings.Builder
	all := []rune(label)
	for _, r := range all {
		if r < punyFirstPoint {
			b.WriteByte(byte(r))
		}
	}
	basic := b.Len()
	if basic > 0 {
		b.WriteByte('-')
	}
	point, delta, bias := rune(punyFirstPoint), 0, punyFirstBias
	for done := basic; done < len(all); {
		next := rune(utf8.MaxRune)
		for _, r := range all {
			if r >= point {
				next = min(next, r)
			}
		}
		delta += int(next-point) * (done + 1)
		point = next
		for _, r := range all {
			if r < point {
				delta++
			}
			if r != point {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := min(max(k-bias, punyMin), punyMax)
				if q < t {
					break
				}
				b.WriteByte(punyDigits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			b.WriteByte(punyDigits[q])
			bias = adapted(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		point++
	}
	return b.String()
}

// unpunycoded is the label that punycoded has written so; false if there is none. The text has at most maxLabel
// bytes.
func unpunycoded(s string) (string, bool) {
	var all []rune
	if at := strings.LastIndexByte(s, '-'); at >= 0 {
		all = []rune(s[:at])
		s = s[at+1:]
	}
	point, at, bias := punyFirstPoint, 0, punyFirstBias
	for len(s) > 0 {
		was, w := at, 1
		for k := punyBase; ; k += punyBase {
			if s == "" {
				return "", false
			}
			digit := strings.IndexByte(punyDigits, s[0])
			if s = s[1:]; digit < 0 {
				return "", false
			}
			at += digit * w
			t := min(max(k-bias, punyMin), punyMax)
			if digit < t {
				break
			}
			if w *= punyBase - t; w > utf8.MaxRune*(maxLabel+1) || at > utf8.MaxRune*(maxLabel+1) {
				return "", false
			}
		}
		bias = adapted(at-was, len(all)+1, was == 0)
		point += at / (len(all) + 1)
		at %= len(all) + 1
		if point > utf8.MaxRune || !utf8.ValidRune(rune(point)) {
			return "", false
		}
		all = append(all[:at], append([]rune{rune(point)}, all[at:]...)...)
		at++
	}
	return string(all), true
}

func adapted(delta, points int, first bool) int {
	if delta /= 2; first {
		delta = delta * 2 / punyDamp
	}
	delta += delta / points
	k := 0
	for ; delta > (punyBase-punyMin)*punyMax/2; k += punyBase {
		delta /= punyBase - punyMin
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}
