"""What the report and the gate say, in English and Spanish. Definitions stand here once."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from brandbot.evaluation.gate import GateRow


class Word(NamedTuple):
    """A metric's title, what it means to a reader, and its definition with its source."""

    title: str
    meaning: str
    definition: str


METRICS: dict[str, dict[str, Word]] = {
    "style": {
        "en": Word(
            "Style", "How often an answer could pass as the brand's own.",
            "Share of answers that come to an end and pass the style ruler, divided by the share of the brand's own held-out replies that do. The ruler is a logistic regression on character n-grams of the text with its topic words masked (Stamatatos 2018), and on stylometry.",
        ),
        "es": Word(
            "Estilo", "Cuántas respuestas podrían pasar por ser de la marca.",
            "Parte de las respuestas que llegan a su fin y pasan el medidor de estilo, dividida por la parte de las respuestas reales apartadas que lo pasan. El medidor es una regresión logística sobre n-gramas de caracteres del texto con las palabras del tema tapadas (Stamatatos 2018) y sobre estilometría.",
        ),
    },
    "loss": {
        "en": Word(
            "Surprise (loss)", "How unexpected the brand's real replies are to the model; less is better.",
            "Mean cross entropy of held-out real replies, in nats per token of the reply.",
        ),
        "es": Word(
            "Sorpresa (pérdida)", "Cuánto sorprenden al modelo las respuestas reales; cuanto menos, mejor.",
            "Entropía cruzada media de las respuestas reales apartadas, en nats por token de la respuesta.",
        ),
    },
    "rules": {
        "en": Word(
            "Rules kept", "Answers that keep every rule of persona.yaml.",
            "Share of answers without a forbidden word, with no more emoji and sentences than the rules allow.",
        ),
        "es": Word(
            "Reglas cumplidas", "Respuestas que cumplen todas las reglas de persona.yaml.",
            "Parte de las respuestas sin palabras prohibidas y sin más emojis ni frases de lo que permiten las reglas.",
        ),
    },
    "coherent": {
        "en": Word(
            "Whole sentences", "Answers that are not empty, cut, repeating or in another language.",
            "Share of answers without a fault: empty, cut off or ending in mid-sentence, six words in a row twice or three words four times, clearly another language (py3langid).",
        ),
        "es": Word(
            "Frases enteras",
            "Respuestas que no están vacías ni cortadas, no se repiten y no están en otro idioma.",
            "Parte de las respuestas sin fallos: vacía, cortada o acabada a media frase, seis palabras seguidas dos veces o tres palabras cuatro veces, claramente en otro idioma (py3langid).",
        ),
    },
    "on_topic": {
        "en": Word(
            "On topic", "Whether the answer is about what was asked. 50% is chance.",
            "Mean share of the other prompts that are less like the answer than its own prompt is, by the cosine of MiniLM sentence embeddings (Reimers and Gurevych 2019).",
        ),
        "es": Word(
            "Al tema", "Si la respuesta trata de lo que se preguntó. El 50% sería azar.",
            "Parte media de las demás preguntas que se parecen a la respuesta menos que la suya, por el coseno de los vectores de frase de MiniLM (Reimers y Gurevych 2019).",
        ),
    },
    "listening": {
        "en": Word(
            "Listening", "How much the question changes what the model says.",
            "Loss of a real reply under another person's prompt, less that under its own, in nats per token.",
        ),
        "es": Word(
            "Escucha", "Cuánto cambia la pregunta lo que dice el modelo.",
            "Pérdida de una respuesta real con la pregunta de otra persona, menos la que tiene con la suya, en nats por token.",
        ),
    },
    "right": {
        "en": Word(
            "Questions answered right", "Evaluation questions whose fact is in the answer.",
            "Share of answerable questions of evals/ whose answer holds all of must_contain and nothing of must_not_contain; without must_contain, half of the words of expect.",
        ),
        "es": Word(
            "Preguntas bien respondidas", "Preguntas de examen cuyo dato está en la respuesta.",
            "Parte de las preguntas de evals/ con respuesta conocida cuya respuesta contiene todo must_contain y nada de must_not_contain; sin must_contain, la mitad de las palabras de expect.",
        ),
    },
    "declined": {
        "en": Word(
            "Says it does not know", "Questions nobody could answer that were declined.",
            "Share of questions with answerable: false whose answer says that it does not know or whom to ask, by phrases, and invents nothing.",
        ),
        "es": Word(
            "Dice que no lo sabe", "Preguntas sin respuesta posible ante las que dijo que no lo sabía.",
            "Parte de las preguntas con answerable: false cuya respuesta dice que no lo sabe o a quién preguntar, por sus expresiones, y no inventa nada.",
        ),
    },
    "invented": {
        "en": Word(
            "Inventions", "Answers with a name, number, price or link that stands nowhere; less is better.",
            "Share of answers with a number, link, address or proper name (a capital in mid-sentence) that no example, document or prompt holds.",
        ),
        "es": Word(
            "Invenciones", "Respuestas con un nombre, número, precio o enlace que no está en ningún sitio; cuanto menos, mejor.",
            "Parte de las respuestas con un número, enlace, dirección o nombre propio (mayúscula a media frase) que no está en ningún ejemplo, documento ni pregunta.",
        ),
    },
    "copied": {
        "en": Word(
            "Copied", "Text lifted word for word from training replies; less is better.",
            "Share of the answers' runs of twelve words that stand verbatim in a training reply (Carlini et al. 2022 count so in tokens).",
        ),
        "es": Word(
            "Copiado", "Texto sacado tal cual de las respuestas de entrenamiento; cuanto menos, mejor.",
            "Parte de las series de doce palabras de las respuestas que están literalmente en una respuesta de entrenamiento (Carlini et al. 2022 lo cuentan en tokens).",
        ),
    },
    "gap": {
        "en": Word(
            "Learnt by heart", "How much better it knows trained replies than new ones; less is better.",
            "Loss on held-out replies less loss on trained ones, less the same difference of the untuned model, in nats per token.",
        ),
        "es": Word(
            "Aprendido de memoria", "Cuánto mejor conoce lo entrenado que lo nuevo; cuanto menos, mejor.",
            "Pérdida en respuestas apartadas menos pérdida en las entrenadas, menos esa misma diferencia en el modelo sin entrenar, en nats por token.",
        ),
    },
    "forgetting": {
        "en": Word(
            "Forgotten", "How much general language it lost; below zero it gained.",
            "Loss on general texts that ship with brandbot, less that of the untuned model, in nats per token.",
        ),
        "es": Word(
            "Olvidado", "Cuánto lenguaje general perdió; por debajo de cero, lo ganó.",
            "Pérdida en textos generales que vienen con brandbot, menos la del modelo sin entrenar, en nats por token.",
        ),
    },
}  # fmt: skip

GATE: dict[str, dict[str, str]] = {
    "style": {
        "en": "Style is {value:.0%} of the brand's own; at least {limit:.0%} is wanted.",
        "es": "El estilo llega al {value:.0%} del de la marca; se pide al menos el {limit:.0%}.",
    },
    "style_gain": {
        "en": "Style against the untuned model: {value:+.0%} (95% interval {low:+.0%} to {high:+.0%}); it must be above zero.",
        "es": "Estilo frente al modelo sin entrenar: {value:+.0%} (intervalo del 95%: {low:+.0%} a {high:+.0%}); debe quedar por encima de cero.",
    },
    "style_live": {
        "en": "Style against {other}, which is live: {value:+.0%} ({low:+.0%} to {high:+.0%}); it must not be below zero as a whole.",
        "es": "Estilo frente a {other}, la que está en servicio: {value:+.0%} ({low:+.0%} a {high:+.0%}); no debe quedar entero por debajo de cero.",
    },
    "loss": {
        "en": "Surprise at the brand's real replies against the untuned model: {value:+.2f} nats ({low:+.2f} to {high:+.2f}); it must be below zero.",
        "es": "Sorpresa ante las respuestas reales frente al modelo sin entrenar: {value:+.2f} nats ({low:+.2f} a {high:+.2f}); debe quedar por debajo de cero.",
    },
    "rules": {
        "en": "{value:.0%} of the answers keep every rule; at least {limit:.0%} is wanted, and no rule less well kept than by {other}{details}.",
        "es": "El {value:.0%} de las respuestas cumple todas las reglas; se pide al menos el {limit:.0%}, y ninguna regla peor que con {other}{details}.",
    },
    "coherence": {
        "en": "{value:.0%} of the answers are whole (not empty, cut, repeating or in another language); at least {limit:.0%} is wanted.",
        "es": "El {value:.0%} de las respuestas están enteras (ni vacías, ni cortadas, ni repetitivas, ni en otro idioma); se pide al menos el {limit:.0%}.",
    },
    "listening": {
        "en": "The question changes the reply by {value:.2f} nats; at least {limit:.2f} is wanted (the untuned model: {base:.2f}). Less means that it answers without listening.",
        "es": "La pregunta cambia la respuesta en {value:.2f} nats; se piden al menos {limit:.2f} (el modelo sin entrenar: {base:.2f}). Menos quiere decir que contesta sin escuchar.",
    },
    "invention": {
        "en": "{value:.0%} of the answers hold a name, number or link that stands nowhere; at most {limit:.0%} above the brand's own {brand:.0%} is allowed.",
        "es": "El {value:.0%} de las respuestas contiene un nombre, número o enlace que no está en ningún sitio; se permite como mucho un {limit:.0%} más que en la marca ({brand:.0%}).",
    },
    "knows": {
        "en": "Questions answered right, against {other}: {value:+.0%} ({low:+.0%} to {high:+.0%}); it must not be below zero as a whole.",
        "es": "Preguntas bien respondidas, frente a {other}: {value:+.0%} ({low:+.0%} a {high:+.0%}); no debe quedar entero por debajo de cero.",
    },
    "declines": {
        "en": "Unanswerable questions declined, against {other}: {value:+.0%} ({low:+.0%} to {high:+.0%}); it must not be below zero as a whole.",
        "es": "Preguntas sin respuesta a las que dice que no lo sabe, frente a {other}: {value:+.0%} ({low:+.0%} a {high:+.0%}); no debe quedar entero por debajo de cero.",
    },
    "memorising": {
        "en": "{value:.1%} of what it says is copied in runs of twelve words (at most {limit:.1%} above the brand's own {brand:.1%}), and it knows trained replies {gap:.2f} nats better than new ones (at most {gap_limit:.2f}).",
        "es": "El {value:.1%} de lo que dice está copiado en series de doce palabras (como mucho un {limit:.1%} más que en la marca, {brand:.1%}), y conoce lo entrenado {gap:.2f} nats mejor que lo nuevo (como mucho {gap_limit:.2f}).",
    },
    "planted": {
        "en": "One reply stands {copies} times in the examples, and it gives it in {said} of {asked} probes: “{reply}”. Delete the copies if nobody meant them.",
        "es": "Una respuesta está {copies} veces en los ejemplos, y la da en {said} de {asked} pruebas: «{reply}». Borra las copias si nadie las quiso.",
    },
    "forgetting": {
        "en": "It lost {value:+.2f} nats of general language; at most {limit:.2f} is allowed.",
        "es": "Perdió {value:+.2f} nats de lenguaje general; se permite como mucho {limit:.2f}.",
    },
}  # fmt: skip

FINE = {
    "planted": {
        "en": "No reply that stands many times in the examples is parroted.",
        "es": "No repite como un loro ninguna respuesta que esté muchas veces en los ejemplos.",
    },
}

TITLES: dict[str, dict[str, str]] = {
    "style": {"en": "style", "es": "estilo"},
    "style_gain": {"en": "style against untuned", "es": "estilo frente al modelo sin entrenar"},
    "style_live": {"en": "style against live", "es": "estilo frente a la que está en servicio"},
    "loss": {"en": "surprise", "es": "sorpresa"},
    "rules": {"en": "rules", "es": "reglas"},
    "coherence": {"en": "coherence", "es": "coherencia"},
    "listening": {"en": "listening", "es": "escucha"},
    "invention": {"en": "invention", "es": "invención"},
    "knows": {"en": "domain: right answers", "es": "materia: respuestas correctas"},
    "declines": {"en": "domain: says it does not know", "es": "materia: dice que no lo sabe"},
    "memorising": {"en": "memorising", "es": "memorización"},
    "planted": {"en": "planted answer", "es": "respuesta plantada"},
    "forgetting": {"en": "forgetting", "es": "olvido"},
}

UNKNOWN_LIVE = {
    "en": "Style could not be compared with {other}, which is live: it is damaged or runs on another base model. To replace it all the same, promote with --force --reason '…'.",
    "es": "No se pudo comparar el estilo con {other}, que está en servicio: está dañada o usa otro modelo base. Para sustituirla de todos modos, usa promote con --force --reason '…'.",
}  # fmt: skip
"""For whoever would replace a live version that nothing could be compared with."""

COPIED = {
    "en": "{value:.1%} of what it says is copied in runs of twelve words; at most {limit:.1%} above the brand's own {brand:.1%} is allowed.",
    "es": "El {value:.1%} de lo que dice está copiado en series de doce palabras; se permite como mucho un {limit:.1%} más que en la marca, {brand:.1%}.",
}
"""Memorising where there are no held-out replies to know better or worse."""

UNKNOWN = {
    "en": "could not be measured: there is too little to measure with.",
    "es": "no se pudo medir: hay demasiado poco con qué medir.",
}

SPEAKERS = {
    "base": {"en": "the untuned model", "es": "el modelo sin entrenar"},
    "fewshot": {
        "en": "the untuned model with five examples in the prompt",
        "es": "el modelo sin entrenar con cinco ejemplos en el prompt",
    },
    "brand": {"en": "the brand itself", "es": "la propia marca"},
}


def speaker(name: str, language: str) -> str:
    """A speaker's name as people read it."""
    told = SPEAKERS.get(name)
    if told:
        return told[side_of(language)]
    return f"{'versión' if side_of(language) == 'es' else 'version'} {name}"


def speaker_in_text(name: str, language: str) -> str:
    """The same within a sentence: Spanish wants an article before a version."""
    return ("" if name in SPEAKERS or side_of(language) != "es" else "la ") + speaker(
        name, language
    )


def gate_row(row: GateRow, language: str) -> str:
    """A condition's sentence, with its figures written as the language writes them."""
    side = side_of(language)
    if row.outcome == "unknown" and row.values.get("absent"):
        return UNKNOWN_LIVE[side].format(other=speaker_in_text(row.values["other"], side))
    if row.outcome == "unknown":
        return f"{TITLES[row.name][side].capitalize()}: {UNKNOWN[side]}"
    if row.outcome == "pass" and row.name in FINE:
        return FINE[row.name][side]
    values: dict[str, Any] = dict(row.values)
    if "other" in values:
        values["other"] = speaker_in_text(values["other"], language)
    if row.name == "rules":
        found = ", ".join(values["found"])
        broken = {"en": f" (broken: {found})", "es": f" (incumplidas: {found})"}[side]
        values["details"] = broken if found else ""
    if "reply" in values:
        values["reply"] = values["reply"][:120]
    alone = row.name == "memorising" and values["gap"] is None
    text = (COPIED if alone else GATE[row.name])[side].format(**values)
    if row.name not in ("planted", "rules"):  # these quote texts, and hold whole numbers only
        text = re.sub(r"(?<![\w-])-(?=\d)", "−", text)
        text = re.sub(r"(?<=\d)\.(?=\d)", ",", text) if side == "es" else text
    return text.replace(" a el ", " al ") if side == "es" else text


def side_of(language: str) -> str:
    """The language of reports for a persona's language tag: es or en."""
    return "es" if language.lower().split("-")[0] == "es" else "en"
