package lang

import (
	"slices"
	"strings"
	"testing"
)

func TestTheEnvironmentChoosesTheLanguage(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"", "en"},
		{"LANG=de_DE.UTF-8", "de"},
		{"LANG=de_AT.UTF-8@euro", "de"},
		{"LANG=C LANGUAGE=de", "en"},
		{"LANG=C.UTF-8 LANGUAGE=de", "en"},
		{"LC_ALL=POSIX LANG=de_DE.UTF-8", "en"},
		{"LC_ALL=fr_FR.UTF-8 LC_MESSAGES=de_DE.UTF-8 LANG=es_ES.UTF-8", "fr"},
		{"LC_MESSAGES=de_DE.UTF-8 LANG=es_ES.UTF-8", "de"},
		{"LC_MESSAGES= LANG=es_MX.UTF-8", "es"},
		{"LANG=de_DE.UTF-8 LANGUAGE=fr:en", "fr"},
		{"LANG=de_DE.UTF-8 LANGUAGE=it:ja:en", "ja"},
		{"LANG=de_DE.UTF-8 LANGUAGE=en_GB:de", "en"},
		{"LANG=de_DE.UTF-8 LANGUAGE=it", "de"},
		{"LANG=it_IT.UTF-8", "en"},
		{"LANG=zh_CN.UTF-8", "zh-Hans"},
		{"LANG=zh_SG.UTF-8", "zh-Hans"},
		{"LANG=zh_TW.UTF-8", "en"},
		{"LANG=zh_HK.UTF-8 LANGUAGE=zh_HK:zh_CN", "zh-Hans"},
		{"LANG=ja_JP.UTF-8", "ja"},
		{"LANG=ja_JP.UTF-8 TERM=linux", "en"},
		{"LANG=ja_JP.UTF-8 TERM=dumb", "en"},
		{"LANG=de_DE.UTF-8 TERM=linux", "de"},
		{"LANG=../../etc", "en"},
	} {
		env := make(map[string]string)
		for kv := range strings.FieldsSeq(c.env) {
			name, value, _ := strings.Cut(kv, "=")
			env[name] = value
		}
		w := Wishes{Getenv: func(name string) string { return env[name] }, UTF8: true}
		if got := w.Choose(); got != c.want {
			t.Errorf("%s: %s, want %s", c.env, got, c.want)
		}
		if w.UTF8 = false; w.Choose() != English {
			t.Errorf("%s without UTF-8: %s", c.env, w.Choose())
		}
		w.UTF8, w.System = true, []string{"it-IT", "fr-CA"}
		if c.env == "" && w.Choose() != "fr" {
			t.Errorf("the system's languages are not asked: %s", w.Choose())
		}
		if c.env != "" && w.Choose() != c.want {
			t.Errorf("%s: the system goes before the environment: %s", c.env, w.Choose())
		}
	}
}

func TestTheCommandLineChoosesTheLanguage(t *testing.T) {
	for _, c := range []struct{ args, asked, rest string }{
		{"relay watch L", "", "relay watch L"},
		{"relay --lang de watch L", "de", "relay watch L"},
		{"relay watch L --lang=ja", "ja", "relay watch L"},
		{"relay watch -lang fr L", "fr", "relay watch L"},
		{"relay watch -- --lang de", "", "relay watch -- --lang de"},
		{"relay watch --lang", "", "relay watch"},
		{"relay", "", "relay"},
	} {
		asked, rest := Asked(strings.Fields(c.args))
		if asked != c.asked || !slices.Equal(rest, strings.Fields(c.rest)) {
			t.Errorf("%s: %q, %q", c.args, asked, rest)
		}
	}
}
