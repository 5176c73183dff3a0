"""A new persona's folder, to be filled in by a person who has never seen one.

The sample examples carry a mark, ``examples.SAMPLE_MARKS``, which ``brandbot check`` finds, so
that nobody trains a brand on ours.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Literal

from brandbot import tables
from brandbot.errors import WorkspaceError


def create(folder: Path, *, language: Literal["en", "es"], name: str) -> list[Path]:
    """Makes ``folder`` with all files of a persona called ``name``; returns the files, sorted.

    Raises WorkspaceError if the folder is there and not empty, if the language has no starter, or
    if a file can't be written; then nothing is left behind.
    """
    templates = _FILES.get(language)
    if templates is None:
        known = ", ".join(sorted(_FILES))
        raise WorkspaceError(f"There is no starter in {language!r}. Use one of: {known}.")
    if not name.strip():
        raise WorkspaceError("A persona needs a name that can be shown to people.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WorkspaceError(
            f"{folder} is already there and not empty. Choose another name, or move it away first."
        )
    # Written beside and renamed, so that a full disk or a Ctrl-C leaves no half of a persona.
    draft = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        for path, template in templates.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            text = template.replace("<<QUOTED>>", json.dumps(name.strip(), ensure_ascii=False))
            text = text.replace("<<NAME>>", name.strip())
            # Excel takes a CSV file for UTF-8 only if it begins with a byte order mark.
            encoding = "utf-8-sig" if path.endswith(".csv") else "utf-8"
            file.write_text(text, encoding=encoding, newline="\n")
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise WorkspaceError(f"{folder} can't be made: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return sorted(folder / path for path in templates)


def voice(language: str, name: str) -> str:
    """The guide of a new persona as a model would see it, before anybody wrote any of it."""
    template = _FILES.get(language, {}).get("voice.md", "")
    text = tables.without_comments(template.replace("<<NAME>>", name), "", [], keep_lines=False)
    return text.strip()


_ENGLISH = {
    "persona.yaml": """\
# The brand's settings. Change what stands after the colons; indent with spaces, never with tabs.
# Then run: brandbot check

# The name people see at the top of the chat.
name: <<QUOTED>>

# The language the bot answers in (en = English).
language: en

# The small model that learns your voice. Leave it alone unless you know why.
base_model: smollm2-135m-instruct

# The first line a visitor sees. Write it in the brand's voice.
greeting: "Hello! What can we do for you?"

# Up to eight short questions, offered as buttons so that nobody faces an empty box.
starters:
  - "What do you do?"
  - "Where do I start?"

# What it says when it does not know, and whom people can ask. One line or several.
handoff:
  - "I don't know that. Please ask a person of our team."

# What it says word for word to who only says hello, thanks or goodbye, or asks if it is a person:
# small models make little sense there. One line or several; without one the model answers.
courtesies:
  hello: ["Hello! What can we do for you?"]
  thanks: ["You're welcome!"]
  goodbye: ["Goodbye, and come back soon!"]
  program: ["I'm a program, not a person."]

# House rules. The examples are checked against them.
rules:
  # Words the brand never uses, one a line. For example: [cheap, ASAP]
  never_say: []
  # none, sparing (at most one a reply) or free.
  emoji: sparing
  # The longest reply, in sentences.
  max_sentences: 5

# What changes (prices, opening hours, dates) is not learnt: it is looked up in knowledge/.
# top_k is how many passages are read for a reply.
knowledge:
  enabled: true
  top_k: 4

# How replies are written. A temperature near 0 is strict, near 1 playful.
# max_tokens is the longest reply; a token is about three quarters of a word.
generation:
  temperature: 0.4
  max_tokens: 200

# How the voice is learnt. epochs is how often the examples are gone through.
training:
  epochs: 3

# What a version must show before it goes live. min_style is its share of the brand's own style.
gate:
  min_style: 0.6

# How conversations become examples. max_author is the share of them one person's words may be;
# keep_days is how long conversations are kept, and empty keeps them until you delete them.
review:
  max_author: 0.1
  keep_days:
""",
    "voice.md": """\
<!-- This file tells the model how the brand talks. Notes like this one, between arrows, are for
you alone: the model never sees them. Answer the questions in your own words and delete them.
Ten to twenty lines are plenty. -->

You speak for <<NAME>>.

<!-- Who is talking? What does the brand do, and for whom? One or two sentences. -->

<!-- How does it sound? Three adjectives, and what each means here: "dry: jokes, never puns". -->

<!-- What does it always do? Short sentences? Ask back? Address people by first name? -->

<!-- What does it never do? Sales talk, exclamation marks, slang? -->

<!-- What does it say when it does not know? Whom does it send people to? -->

<!-- And when somebody is angry? First what, then what? -->

Prices, opening hours and dates come from the facts you are given. If you don't know, say so.
""",
    "examples/examples.csv": """\
prompt,completion
"[sample] Do you deliver?","[sample] Write here what your brand would answer, word for word."
"[sample] whats this about","[sample] People type carelessly. Write prompts as they do."
"[sample] Are you a robot?","[sample] Small talk shows a voice best. Write your own."
""",
    "examples/conversations.md": """\
<!-- Each line that begins with ## is what a person says; below it stands the brand's reply.
A line that begins with > is the person's next message. Replace all three samples. -->

## [sample] My parcel is late and nobody answers!

[sample] Somebody is angry. Write how your brand takes it, in two or three sentences.

> [sample] I have heard that before.

[sample] And how it goes on when the first answer is not enough.

## [sample] What will the weather be on Sunday?

[sample] A question the brand can't answer. Write how it says so, kindly.

## [sample] thanks!

[sample] The end of a conversation. Write how your brand says goodbye.
""",
    "knowledge/README.md": """\
Put documents here with what is true this week: prices, opening hours, delivery, products.
The bot looks facts up in them; it does not learn them by heart, so change them at any time.
""",
    "evals/README.md": """\
Put questions here that every new version is asked before it goes live, in files ending in .jsonl,
one a line: {"prompt": "Do you deliver?", "expect": "Yes, in the whole town."}
Don't use questions from examples/: that would be asking what was learnt by heart.
""",
}  # fmt: skip

_SPANISH = {
    "persona.yaml": """\
# La ficha de la marca. Cambia lo que hay tras los dos puntos; sangra con espacios, sin tabuladores.
# Después ejecuta: brandbot check

# El nombre que la gente ve arriba, en la ventana del chat.
name: <<QUOTED>>

# En qué idioma contesta el bot (es = español).
language: es

# El modelo pequeño que aprende tu voz. Si no sabes qué es, déjalo así.
base_model: gemma-3-270m

# Lo primero que lee quien entra. Escríbelo con la voz de la marca.
greeting: "¡Hola! ¿En qué te ayudamos?"

# Hasta ocho preguntas cortas: salen como botones, para quien no sabe por dónde empezar.
starters:
  - "¿Qué hacéis?"
  - "¿Por dónde empiezo?"

# Lo que dice cuando no lo sabe, y a quién se puede preguntar. Una línea o varias.
handoff:
  - "Eso no lo sé. Pregunta, por favor, a una persona del equipo."

# Lo que dice tal cual a quien solo saluda, da las gracias, se despide o pregunta si es una persona:
# ahí los modelos pequeños no atinan. Una línea o varias; si quitas una, contesta el modelo.
courtesies:
  hello: ["¡Hola! ¿En qué te ayudamos?"]
  thanks: ["¡De nada!"]
  goodbye: ["¡Hasta pronto!"]
  program: ["Soy un programa, no una persona."]

# Reglas de la casa. Con ellas se revisan los ejemplos.
rules:
  # Palabras que la marca no dice nunca. Por ejemplo: [chollo, estimado cliente]
  never_say: []
  # none (ninguno), sparing (como mucho uno por respuesta) o free (los que sean).
  emoji: sparing
  # La respuesta más larga, en frases.
  max_sentences: 5

# Lo que cambia (precios, horarios, fechas) no se aprende: se consulta en knowledge/.
# top_k es cuántos trozos se leen para cada respuesta.
knowledge:
  enabled: true
  top_k: 4

# Cómo se escriben las respuestas. temperature cerca de 0 es más seria; cerca de 1, más juguetona.
# max_tokens es la respuesta más larga; un token son unas tres cuartas partes de una palabra.
generation:
  temperature: 0.4
  max_tokens: 200

# Cómo se aprende la voz. epochs es cuántas veces se repasan los ejemplos.
training:
  epochs: 3

# Lo que debe demostrar una versión antes de entrar en servicio. min_style es qué parte del estilo
# de la marca tiene que alcanzar.
gate:
  min_style: 0.6

# Cómo las conversaciones pasan a ser ejemplos. max_author es qué parte de ellos pueden ser palabras
# de una sola persona; keep_days, los días que se guardan (vacío: hasta que las borres).
review:
  max_author: 0.1
  keep_days:
""",
    "voice.md": """\
<!-- Este archivo le cuenta al modelo cómo habla la marca. Las notas como esta, entre flechas, son
solo para ti: el modelo no las ve. Contesta a las preguntas con tus palabras y bórralas.
Con diez o veinte líneas basta. -->

Eres la voz de <<NAME>>.

<!-- ¿Quién habla? ¿Qué hace la marca y para quién? Una o dos frases. -->

<!-- ¿Cómo suena? Tres adjetivos y qué significan aquí: «cercana: tutea siempre». -->

<!-- ¿Qué hace siempre? ¿Frases cortas? ¿Acaba con una pregunta? ¿Pone ejemplos de casa? -->

<!-- ¿Qué no hace nunca? ¿Lenguaje de vendedor, exclamaciones, jerga? -->

<!-- ¿Qué dice cuando no sabe algo? ¿A quién manda a la gente? -->

<!-- ¿Y cuando alguien está enfadado? ¿Qué va primero y qué después? -->

Los precios, horarios y fechas salen de los datos que te dan. Si no lo sabes, dilo.
""",
    "examples/ejemplos.csv": """\
pregunta;respuesta
"[muestra] ¿Hacéis envíos?";"[muestra] Escribe aquí lo que contestaría tu marca."
"[muestra] q es esto";"[muestra] La gente escribe con prisas. Copia cómo pregunta."
"[muestra] ¿Eres un robot?";"[muestra] Charlando es como mejor se nota la voz."
""",
    "examples/conversaciones.md": """\
<!-- Cada línea que empieza por ## es lo que dice una persona; debajo va la respuesta de la marca.
Una línea que empieza por > es lo siguiente que dice la persona. Cambia las tres muestras. -->

## [muestra] ¡Mi paquete no llega y nadie contesta!

[muestra] Alguien está enfadado. Escribe cómo lo recibe tu marca, en dos o tres frases.

> [muestra] Eso ya me lo dijisteis.

[muestra] Y cómo sigue cuando la primera respuesta no basta.

## [muestra] ¿Qué tiempo hará el domingo?

[muestra] Una pregunta que la marca no puede contestar. Escribe cómo lo dice, con cariño.

## [muestra] ¡gracias!

[muestra] El final de una conversación. Escribe cómo se despide tu marca.
""",
    "knowledge/LEEME.md": """\
Pon aquí documentos con lo que es verdad esta semana: precios, horarios, envíos, productos.
El bot los consulta, no los aprende de memoria: puedes cambiarlos cuando quieras.
""",
    "evals/LEEME.md": """\
Pon aquí las preguntas que se le hacen a cada versión nueva antes de estrenarla, en archivos que
terminen en .jsonl, una por línea: {"prompt": "¿Hacéis envíos?", "expect": "Sí, en toda la ciudad."}
No uses preguntas de examples/: sería preguntar lo aprendido de memoria.
""",
}  # fmt: skip

_FILES = {"en": _ENGLISH, "es": _SPANISH}
