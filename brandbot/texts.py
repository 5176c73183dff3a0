"""Every problem of a persona folder, in the words of the people who write it.

``PROBLEMS[code][language]`` is what was found, why it matters and what to do now, with
``str.format`` placeholders filled from ``Problem.values``. A value such as ``@price`` is a word of
``WORDS`` and is said in the same language. Loads nothing heavy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from brandbot.errors import Problem

Words = tuple[str, str, str]


@dataclass(frozen=True)
class Told:
    """A problem in whole sentences: what was found, why it matters, what to do now."""

    what: str
    why: str
    fix: str

    @property
    def line(self) -> str:
        ended = self.what.endswith((".", "!", "?", "…", ":"))
        return f"{self.what}{'' if ended else '.'} {self.fix}"


def tell(problem: Problem, language: str) -> Told:
    """A problem in ``language`` (``es``, ``es-MX``, ...); in English where there is no translation.

    Raises KeyError for a code or placeholder that is not in the catalogue: a mistake of ours.
    """
    said = PROBLEMS[problem.code]
    tongue = language.split("-")[0].lower()
    tongue = tongue if tongue in said else "en"
    values = {name: _say(value, tongue, problem.values) for name, value in problem.values.items()}
    # What was found may end in a full stop of its own.
    what, why, fix = (
        re.sub(r"([.!?…])\.$", r"\1", " ".join(part.format(**values).split()))
        for part in said[tongue]
    )
    return Told(what, why, fix)


def _say(value: Any, language: str, values: dict[str, Any]) -> Any:
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    word = WORDS.get(value[1:])
    # pydantic has more kinds of complaint than are translated: those are told in its own words.
    return word[language].format(**values) if word else values.get("message", value)


WORDS: dict[str, dict[str, str]] = {
    # What a JSON value is.
    "json-list": {"en": "a list", "es": "una lista"},
    "json-dict": {"en": "fields of its own", "es": "otros campos"},
    "json-str": {"en": "a text", "es": "un texto"},
    "json-int": {"en": "a number", "es": "un número"},
    "json-float": {"en": "a number", "es": "un número"},
    "json-bool": {"en": "true or false", "es": "true o false"},
    "json-NoneType": {"en": "null, that is nothing", "es": "null, o sea nada"},
    "needed": {"en": "Change it; there is no default", "es": "Cámbialo; no hay valor por defecto"},
    "or-default": {
        "en": "Change it, or delete the line to use the default",
        "es": "Cámbialo, o borra la línea para usar el valor por defecto",
    },
    # What ruamel.yaml complains of.
    "mapping values are not allowed here": {
        "en": "a colon inside a text, or a line that is indented too far",
        "es": "dos puntos dentro de un texto, o una línea con demasiada sangría",
    },
    "could not find expected ':'": {
        "en": "a colon is missing after a key",
        "es": "faltan dos puntos tras una clave",
    },
    # What zipfile complains of: Excel's files are zip archives.
    "File is not a zip file": {
        "en": "only its name is that of an Excel file",
        "es": "de Excel solo tiene el nombre",
    },
    # What the json module complains of.
    "Expecting property name enclosed in double quotes": {
        "en": "a key in double quotes is missing",
        "es": "falta una clave entre comillas dobles",
    },
    "Extra data": {
        "en": "there is something behind its end",
        "es": "hay algo detrás de su final",
    },
    "Expecting ',' delimiter": {
        "en": "a comma is missing, or a quotation mark inside a text has no \\ before it",
        "es": "falta una coma, o unas comillas dentro de un texto no llevan \\ delante",
    },
    "Expecting ':' delimiter": {
        "en": "a colon is missing after a key",
        "es": "faltan dos puntos tras una clave",
    },
    "Expecting value": {"en": "a value is missing", "es": "falta un valor"},
    "Unterminated string starting at": {
        "en": "a text's closing quotation mark is missing",
        "es": "faltan las comillas de cierre de un texto",
    },
    "Invalid control character at": {
        "en": "a tab or another sign that JSON writes as \\t or \\n",
        "es": "un tabulador u otro signo que en JSON se escribe \\t o \\n",
    },
    "Invalid \\escape": {
        "en": "a backslash that JSON writes twice",
        "es": "una barra invertida que en JSON se escribe doble",
    },
    "too deeply nested": {"en": "too deeply nested", "es": "demasiados niveles"},
    # What separates the cells of a CSV file.
    "mark-,": {"en": "commas", "es": "comas"},
    "mark-;": {"en": "semicolons", "es": "puntos y coma"},
    "mark-\t": {"en": "tabs", "es": "tabuladores"},
    "mark-|": {"en": "bars (|)", "es": "barras (|)"},
    # What a setting must be, by pydantic's error types.
    "string_type": {"en": "text", "es": "un texto"},
    "string_too_short": {"en": "some text, not nothing", "es": "algún texto, no vacío"},
    "string_pattern_mismatch": {
        "en": "a language code such as en, es or es-MX",
        "es": "un código de idioma como en, es o es-MX",
    },
    "int_type": {"en": "a whole number", "es": "un número entero"},
    "int_parsing": {"en": "a whole number", "es": "un número entero"},
    "int_from_float": {"en": "a whole number", "es": "un número entero"},
    "float_type": {"en": "a number", "es": "un número"},
    "float_parsing": {"en": "a number, with a point: 0.7", "es": "un número, con punto: 0.7"},
    "finite_number": {"en": "a finite number", "es": "un número finito"},
    "bool_type": {"en": "true or false", "es": "true (sí) o false (no)"},
    "bool_parsing": {"en": "true or false", "es": "true (sí) o false (no)"},
    "list_type": {"en": "a list: [one, two]", "es": "una lista: [uno, dos]"},
    "model_type": {"en": "settings below it, indented", "es": "ajustes debajo, con sangría"},
    "literal_error": {"en": "one of {choices}", "es": "una de estas palabras: {choices}"},
    "greater_than": {"en": "a number above {gt}", "es": "un número mayor que {gt}"},
    "greater_than_equal": {"en": "{ge} or more", "es": "{ge} o más"},
    "less_than": {"en": "a number below {lt}", "es": "un número menor que {lt}"},
    "less_than_equal": {"en": "{le} or less", "es": "{le} o menos"},
    "too_long": {
        "en": "a list of at most {max_length}",
        "es": "una lista de {max_length} como mucho",
    },
    # Personal data and secrets.
    "email": {"en": "an e-mail address", "es": "un correo electrónico"},
    "phone": {"en": "a telephone number", "es": "un número de teléfono"},
    "iban": {"en": "a bank account (IBAN)", "es": "una cuenta bancaria (IBAN)"},
    "card": {"en": "a card number", "es": "un número de tarjeta"},
    "nif": {"en": "a Spanish identity number (DNI/NIF)", "es": "un DNI o NIF"},
    "nie": {"en": "a Spanish foreigner's number (NIE)", "es": "un NIE"},
    "ssn": {
        "en": "a US social security number",
        "es": "un número de la seguridad social de EE. UU.",
    },
    "nino": {"en": "a UK National Insurance number", "es": "un número de seguro británico"},
    "ip": {"en": "an internet address (IP)", "es": "una dirección de internet (IP)"},
    "token": {"en": "an access key or token", "es": "una clave de acceso o token"},
    "password": {"en": "a password", "es": "una contraseña"},
    "private-key": {"en": "a private key", "es": "una clave privada"},
    # Facts that change.
    "url": {"en": "a web address", "es": "una dirección web"},
    "price": {"en": "a price", "es": "un precio"},
    "percentage": {"en": "a percentage", "es": "un porcentaje"},
    "hours": {"en": "a time or opening hours", "es": "una hora o un horario"},
    "date": {"en": "a date", "es": "una fecha"},
    "stock": {"en": "what is in stock", "es": "lo que queda en existencias"},
    # Further facts beside the one that is quoted.
    "and-more": {"en": " and {others} more", "es": " y {others} más"},
    "and-lines": {
        "en": " and {others} more (lines {lines})",
        "es": " y {others} más (líneas {lines})",
    },
    # Sides of the split.
    "train": {"en": "training", "es": "entrenamiento"},
    "valid": {"en": "validation", "es": "validación"},
    "test": {"en": "test", "es": "prueba"},
    # Languages.
    "en": {"en": "English", "es": "inglés"},
    "es": {"en": "Spanish", "es": "español"},
    "fr": {"en": "French", "es": "francés"},
    "de": {"en": "German", "es": "alemán"},
    "it": {"en": "Italian", "es": "italiano"},
    "pt": {"en": "Portuguese", "es": "portugués"},
    "nl": {"en": "Dutch", "es": "neerlandés"},
    "ca": {"en": "Catalan", "es": "catalán"},
}  # fmt: skip


PROBLEMS: dict[str, dict[str, Words]] = {
    # --- persona.yaml and voice.md ---------------------------------------------------------------
    "no-persona-yaml": {
        "en": (
            "There is no file persona.yaml in this folder.",
            "It holds the brand's name, language and rules; without it nothing can start.",
            "Make one with brandbot new, or copy one from another persona and change it.",
        ),
        "es": (
            "En esta carpeta no hay ningún archivo persona.yaml.",
            "Ahí están el nombre, el idioma y las reglas de la marca; sin él no se puede empezar.",
            "Créalo con brandbot new, o copia el de otra marca y cámbialo.",
        ),
    },
    "unreadable": {
        "en": (
            "The file can't be opened: {reason}.",
            "Nothing in it can be used.",
            "Check that it is not open in another program and that you may read it.",
        ),
        "es": (
            "El archivo no se puede abrir: {reason}.",
            "No se puede usar nada de lo que contiene.",
            "Comprueba que no esté abierto en otro programa y que tengas permiso para leerlo.",
        ),
    },
    "not-utf8": {
        "en": (
            "The file is not saved as UTF-8; it was read the way old programs write: {found}",
            "Accents and special letters may have come out wrong.",
            "Save it again as UTF-8 (in Excel: CSV UTF-8) and look at the accents.",
        ),
        "es": (
            "El archivo no está guardado en UTF-8; se ha leído como lo escriben programas "
            "antiguos: {found}",
            "Puede que las tildes y las eñes hayan salido mal.",
            "Guárdalo otra vez como UTF-8 (en Excel: CSV UTF-8) y revisa las tildes.",
        ),
    },
    "yaml-tab": {
        "en": (
            "A line begins with a tab.",
            "In this kind of file, lines may only be indented with spaces.",
            "Replace the tab with two spaces.",
        ),
        "es": (
            "Una línea empieza con un tabulador.",
            "En este tipo de archivo la sangría solo se hace con espacios.",
            "Cambia el tabulador por dos espacios.",
        ),
    },
    "yaml-text": {
        "en": (
            "This text may not be read as it is meant: {found}",
            "After a # everything is a note to people, a dash without a space or further right "
            "than the one above begins no item, and “ ” are part of the text.",
            'Put the text in straight "quotes", each item in a line of its own after a dash and a '
            "space.",
        ),
        "es": (
            "Puede que este texto no se lea como se pensó: {found}",
            "Tras una # todo es una nota para personas, un guion sin espacio o más a la derecha "
            "que el de arriba no empieza ningún elemento, y las comillas “ ” son parte del texto.",
            'Pon el texto entre comillas rectas ("), cada elemento en su línea tras un guion y un '
            "espacio.",
        ),
    },
    "persona-yaml-misnamed": {
        "en": (
            "There is no file persona.yaml in this folder, but there is {found}.",
            "Only a file of just that name is read.",
            "Rename it. If you can't see its ending, let your computer show endings.",
        ),
        "es": (
            "En esta carpeta no hay ningún archivo persona.yaml, pero sí {found}.",
            "Solo se lee un archivo con exactamente ese nombre.",
            "Cámbiale el nombre. Si no ves la terminación, haz que el ordenador las muestre.",
        ),
    },
    "yaml-mark": {
        "en": (
            "This text needs quotation marks around all of it: {found}",
            "Marks such as @ % ! & * mean something else at its beginning, and so does a text in "
            "quotes that goes on after them.",
            "Put all of it in \"quotes\"; inside, write 'single' ones.",
        ),
        "es": (
            "Este texto necesita comillas alrededor de todo: {found}",
            "Signos como @ % ! & * significan otra cosa al principio, y también un texto entre "
            "comillas que sigue tras ellas.",
            "Ponlo todo entre \"comillas\"; dentro, usa las 'simples'.",
        ),
    },
    "yaml-date": {
        "en": (
            "There is no such day or time: {found}",
            "Until it is mended, no setting can be read.",
            'Correct it, or put the text in "quotes" if it is no date.',
        ),
        "es": (
            "Ese día o esa hora no existe: {found}",
            "Hasta que se arregle no se puede leer ningún ajuste.",
            'Corrígelo o pon el texto entre "comillas" si no es una fecha.',
        ),
    },
    "yaml-indent": {
        "en": (
            "This line begins too far left or right for where it stands.",
            "Until it is mended, no setting can be read.",
            "Give it just as many spaces as the lines it belongs to.",
        ),
        "es": (
            "Esta línea empieza demasiado a la izquierda o a la derecha para donde está.",
            "Hasta que se arregle no se puede leer ningún ajuste.",
            "Ponle los mismos espacios delante que a las líneas de su grupo.",
        ),
    },
    "yaml-quote": {
        "en": (
            "A text in quotation marks begins here and never ends.",
            "Until it is mended, no setting can be read.",
            "Close it with the same mark; if it belongs to the text, put the other around it.",
        ),
        "es": (
            "Aquí empieza un texto entre comillas que no se cierra.",
            "Hasta que se arregle no se puede leer ningún ajuste.",
            "Ciérralo con la misma comilla; si es parte del texto, usa las otras alrededor.",
        ),
    },
    "yaml-syntax": {
        "en": (
            "The text can't be understood here: {reason}.",
            "Until it is mended, no setting can be read.",
            (
                "Look at this line and the one above: a missing colon, quote or bracket? "
                'Put text with : # or ? in "quotes".'
            ),
        ),
        "es": (
            "El texto no se entiende en este punto: {reason}.",
            "Hasta que se arregle no se puede leer ningún ajuste.",
            (
                "Mira esta línea y la de arriba: ¿faltan dos puntos, comillas o un corchete? "
                'Pon entre "comillas" los textos que lleven : # o ?.'
            ),
        ),
    },
    "yaml-not-mapping": {
        "en": (
            "The file does not hold settings of the form key: value.",
            "Without them the brand has no name.",
            "Start with a line such as name: My Brand.",
        ),
        "es": (
            "El archivo no contiene ajustes de la forma clave: valor.",
            "Sin ellos la marca no tiene ni nombre.",
            "Empieza con una línea como name: Mi Marca.",
        ),
    },
    "key-twice": {
        "en": (
            "{key} is there twice; the first is in line {first}.",
            "Only one of the two would count, and you could not tell which.",
            "Delete one of them.",
        ),
        "es": (
            "{key} está dos veces; la primera, en la línea {first}.",
            "Solo contaría una de las dos y no se sabría cuál.",
            "Borra una de ellas.",
        ),
    },
    "unknown-key-close": {
        "en": (
            "There is no setting {key}. Did you mean {close}?",
            "A misspelt setting would silently do nothing.",
            "Write {close}, or delete the line. Known here: {known}.",
        ),
        "es": (
            "El ajuste {key} no existe. ¿Querías decir {close}?",
            "Un ajuste mal escrito no haría nada, y sin avisar.",
            "Escribe {close} o borra la línea. Aquí valen: {known}.",
        ),
    },
    "key-elsewhere": {
        "en": (
            "The setting {last} belongs under {section}:, not here.",
            "Where it stands it would silently do nothing.",
            "Put it below a line {section}:, with two spaces before it; add that line if it is "
            "missing.",
        ),
        "es": (
            "El ajuste {last} va debajo de {section}:, no aquí.",
            "Donde está no haría nada, y sin avisar.",
            "Ponlo debajo de una línea {section}:, con dos espacios delante; si esa línea falta, "
            "añádela.",
        ),
    },
    "key-at-top": {
        "en": (
            "The setting {last} does not belong under {section}:.",
            "Where it stands it would silently do nothing.",
            "Move it out: a line of its own, with no spaces before it.",
        ),
        "es": (
            "El ajuste {last} no va debajo de {section}:.",
            "Donde está no haría nada, y sin avisar.",
            "Sácalo de ahí: en una línea propia, sin espacios delante.",
        ),
    },
    "unknown-key": {
        "en": (
            "There is no setting {key}.",
            "An unknown setting would silently do nothing.",
            "Delete the line, or use one of: {known}.",
        ),
        "es": (
            "El ajuste {key} no existe.",
            "Un ajuste desconocido no haría nada, y sin avisar.",
            "Borra la línea o usa uno de estos: {known}.",
        ),
    },
    "missing-key": {
        "en": (
            "{key} is missing.",
            "It has no default; only you know it.",
            "Add a line {key}: followed by its value.",
        ),
        "es": (
            "Falta {key}.",
            "No tiene valor por defecto: solo lo sabes tú.",
            "Añade una línea {key}: seguida de su valor.",
        ),
    },
    "wrong-value": {
        "en": (
            "{key} is {found}, but it must be {expected}.",
            "The bot can't work with that value.",
            "{way}.",
        ),
        "es": (
            "En {key} pone {found}, pero tiene que ser {expected}.",
            "El bot no puede trabajar con ese valor.",
            "{way}.",
        ),
    },
    "set-form": {
        "en": (
            "--set got {found!r}, which is not of the form key=value.",
            "It can't be told what should be changed.",
            "Write for example --set training.epochs=2.",
        ),
        "es": (
            "--set ha recibido {found!r}, que no tiene la forma clave=valor.",
            "No se puede saber qué hay que cambiar.",
            "Escribe por ejemplo --set training.epochs=2.",
        ),
    },
    "unknown-model": {
        "en": (
            "base_model is {found}, which is no base model.",
            "Nothing could be trained or served.",
            "Use one of {known}, a hub id such as Qwen/Qwen3-0.6B, a folder or a .gguf file.",
        ),
        "es": (
            "base_model vale {found}, que no es ningún modelo base.",
            "No se podría entrenar ni servir nada.",
            "Usa uno de {known}, un id como Qwen/Qwen3-0.6B, una carpeta o un archivo .gguf.",
        ),
    },
    "unknown-language": {
        "en": (
            "language is {found}, which is no language that can be told from others.",
            "Whether replies are in it can't be checked, and messages are in English.",
            "Write its code: es for Spanish, en for English.",
        ),
        "es": (
            "language vale {found}, que no es un idioma que se sepa distinguir.",
            "No se puede comprobar si las respuestas están en él, y los mensajes salen en inglés.",
            "Escribe su código: es para el español, en para el inglés.",
        ),
    },
    "file-name": {
        "en": (
            "The file's name has letters of an old encoding, as from a Windows archive.",
            "It can't be read.",
            "Rename it.",
        ),
        "es": (
            "El nombre del archivo lleva letras en una codificación antigua, como las de un zip de "
            "Windows.",
            "No se puede leer.",
            "Cámbiale el nombre.",
        ),
    },
    "link": {
        "en": (
            "This is a link to a folder, to nothing, or out of the persona's folder.",
            "What it leads to is not read.",
            "Put the files themselves here.",
        ),
        "es": (
            "Es un enlace a una carpeta, a nada o fuera de la carpeta del personaje.",
            "No se lee lo que hay al otro lado.",
            "Pon aquí los propios archivos.",
        ),
    },
    "misplaced-file": {
        "en": (
            "The file stands beside persona.yaml, where nobody reads it.",
            "Examples and facts count only in their own folders.",
            "Move examples to examples/, documents to knowledge/ and test questions to evals/.",
        ),
        "es": (
            "El archivo está junto a persona.yaml, donde nadie lo lee.",
            "Los ejemplos y los datos solo cuentan en sus carpetas.",
            "Pasa los ejemplos a examples/, los documentos a knowledge/ y las pruebas a evals/.",
        ),
    },
    "misplaced-folder": {
        "en": (
            "The folder is none that is read: those are examples, knowledge and evals.",
            "What is in it does not count.",
            "Give it one of these names, in small letters, or move it out of here.",
        ),
        "es": (
            "Esta carpeta no se lee: se leen examples, knowledge y evals.",
            "Lo que hay dentro no cuenta.",
            "Ponle uno de esos nombres, en minúsculas, o sácala de aquí.",
        ),
    },
    "voice-unwritten": {
        "en": (
            "voice.md is as brandbot new made it.",
            "It tells the model nothing of how the brand talks.",
            "Answer the questions in it in your own words; ten to twenty lines are plenty.",
        ),
        "es": (
            "voice.md está como lo creó brandbot new.",
            "No le cuenta al modelo nada de cómo habla la marca.",
            "Contesta con tus palabras a sus preguntas; bastan diez o veinte líneas.",
        ),
    },
    "voice-too-long": {
        "en": (
            "voice.md is about {count} tokens long; with an example after it {most} is the most.",
            "It stands before each example and each question, and leaves no room for them.",
            "Keep to ten or twenty lines; what people ask for belongs into knowledge/.",
        ),
        "es": (
            "voice.md ocupa unos {count} tokens; junto con un ejemplo el máximo es {most}.",
            "Va delante de cada ejemplo y de cada pregunta y no les deja sitio.",
            "Déjalo en diez o veinte líneas; lo que la gente pregunta va en knowledge/.",
        ),
    },
    "voice-language": {
        "en": (
            "voice.md is in {found}; the persona speaks {expected}.",
            "The bot would mix languages.",
            "Translate it, or change language in persona.yaml.",
        ),
        "es": (
            "voice.md está en {found}; la marca habla {expected}.",
            "El bot mezclaría idiomas.",
            "Tradúcelo o cambia language en persona.yaml.",
        ),
    },
    "no-voice": {
        "en": (
            "voice.md is missing or empty.",
            "It is what tells the model how the brand talks; examples alone teach it more slowly.",
            "Describe the voice in ten to twenty lines: how it sounds, what it does and avoids.",
        ),
        "es": (
            "voice.md falta o está vacío.",
            (
                "Es lo que le cuenta al modelo cómo habla la marca; solo con ejemplos aprende más "
                "despacio."
            ),
            "Describe la voz en diez o veinte líneas: cómo suena, qué hace y qué evita.",
        ),
    },
    # --- Files in examples/ ----------------------------------------------------------------------
    "no-examples-folder": {
        "en": (
            "There is no folder examples/.",
            "The brand's voice is learnt from the examples in it.",
            "Make the folder and put your example files in it (.csv, .xlsx, .jsonl or .md).",
        ),
        "es": (
            "No hay ninguna carpeta examples/.",
            "La voz de la marca se aprende de los ejemplos que hay en ella.",
            "Crea la carpeta y mete en ella tus ejemplos (.csv, .xlsx, .jsonl o .md).",
        ),
    },
    "unknown-format": {
        "en": (
            "Files of the kind {suffix} can't be read.",
            "Nothing in this file is used.",
            "Save it as .csv, .xlsx, .jsonl or .md, or move it out of examples/.",
        ),
        "es": (
            "Los archivos de tipo {suffix} no se pueden leer.",
            "No se usa nada de este archivo.",
            "Guárdalo como .csv, .xlsx, .jsonl o .md, o sácalo de examples/.",
        ),
    },
    "no-examples-in-file": {
        "en": (
            "No example was found in this file.",
            "It adds nothing to what the model learns.",
            "Write examples in it, or take it out of examples/.",
        ),
        "es": (
            "En este archivo no hay ningún ejemplo.",
            "No añade nada a lo que aprende el modelo.",
            "Escribe ejemplos en él o sácalo de examples/.",
        ),
    },
    "binary-file": {
        "en": (
            "This is not a text file, whatever its name says.",
            "It can't be read as text, so nothing in it is used.",
            "Open it in the program it was made with and save it as text, .csv or .xlsx.",
        ),
        "es": (
            "Esto no es un archivo de texto, aunque lo diga su nombre.",
            "No se puede leer como texto, así que no se usa nada de él.",
            "Ábrelo con el programa con que se hizo y guárdalo como texto, .csv o .xlsx.",
        ),
    },
    "office-file": {
        "en": (
            "This is a file of Excel or Word under another name.",
            "It can't be read as text, so nothing in it is used.",
            "Rename it: .xlsx if it is from Excel, .docx if it is from Word.",
        ),
        "es": (
            "Esto es un archivo de Excel o de Word con otro nombre.",
            "No se puede leer como texto, así que no se usa nada de él.",
            "Cámbiale el nombre: .xlsx si es de Excel, .docx si es de Word.",
        ),
    },
    "rich-text-file": {
        "en": (
            "This is rich text (RTF), as TextEdit and WordPad save it, under another name.",
            "Its formatting codes would be read as words, so nothing in it is used.",
            "Open it and save it as plain text (in TextEdit: Format > Make Plain Text).",
        ),
        "es": (
            "Esto es texto con formato (RTF), como lo guardan TextEdit y WordPad, con otro nombre.",
            "Los códigos del formato se leerían como palabras, así que no se usa nada de él.",
            "Ábrelo y guárdalo como texto sin formato (en TextEdit: Formato > Convertir a texto).",
        ),
    },
    "empty-reply": {
        "en": (
            "The brand's reply is empty.",
            "There is nothing to learn from it, so this example is left out.",
            "Write the reply, or delete the example.",
        ),
        "es": (
            "La respuesta de la marca está vacía.",
            "No hay nada que aprender de ella, así que este ejemplo no se usa.",
            "Escribe la respuesta o borra el ejemplo.",
        ),
    },
    "empty-prompt": {
        "en": (
            "What the person says is empty.",
            "A reply to nothing teaches nothing, so this example is left out.",
            "Write what the person says, or delete the example.",
        ),
        "es": (
            "Lo que dice la persona está vacío.",
            "Una respuesta a nada no enseña nada, así que este ejemplo no se usa.",
            "Escribe lo que dice la persona o borra el ejemplo.",
        ),
    },
    "starts-with-reply": {
        "en": (
            "The conversation does not begin with the person.",
            "The model learns to answer, so somebody has to speak first; it is left out.",
            "Put what the person says in front.",
        ),
        "es": (
            "La conversación no empieza por la persona.",
            "El modelo aprende a contestar: alguien tiene que hablar antes. No se usa.",
            "Pon delante lo que dice la persona.",
        ),
    },
    "ends-without-reply": {
        "en": (
            "The conversation does not end with the brand's reply.",
            "The last reply is what the model learns from; without it the example is left out.",
            "Add the reply the brand would give, or delete the last message.",
        ),
        "es": (
            "La conversación no termina con una respuesta de la marca.",
            "De esa última respuesta se aprende; sin ella el ejemplo no se usa.",
            "Añade la respuesta que daría la marca o borra el último mensaje.",
        ),
    },
    "json-quotes": {
        "en": (
            "This line is not valid JSON: it has the quotation marks of a word processor (“ ”).",
            "This line is left out; the others are read.",
            'Replace them with straight ones ("). A plain text editor leaves them as they are.',
        ),
        "es": (
            "Esta línea no es JSON válido: lleva las comillas de un procesador de textos (“ ”).",
            "Esta línea no se usa; las demás sí se leen.",
            'Cámbialas por comillas rectas ("). Un editor de texto sencillo las deja como están.',
        ),
    },
    "json-list": {
        "en": (
            "This line is part of a list: a bracket, or a comma at its end.",
            "This line is left out; the others are read.",
            "In .jsonl each line is a JSON object of its own: delete [ and ], and the commas at "
            "the line ends.",
        ),
        "es": (
            "Esta línea es parte de una lista: un corchete, o una coma al final.",
            "Esta línea no se usa; las demás sí se leen.",
            "En .jsonl cada línea es un objeto JSON: borra [ y ], y las comas al final de las "
            "líneas.",
        ),
    },
    "json-over-lines": {
        "en": (
            "The file is one list or object over many lines, as programs print them for people.",
            "Nothing of it is read.",
            "Write each object on a line of its own, with no [ ] around them and no commas after.",
        ),
        "es": (
            "El archivo es una sola lista u objeto en muchas líneas, como los imprime un programa.",
            "No se lee nada de él.",
            "Escribe cada objeto en una línea, sin [ ] alrededor ni comas detrás.",
        ),
    },
    "json-key-twice": {
        "en": (
            "The key {key} stands twice in this line.",
            "It is not said which one counts, so the line is left out.",
            "Delete the wrong one.",
        ),
        "es": (
            "La clave {key} aparece dos veces en esta línea.",
            "No se sabe cuál vale, así que la línea no se usa.",
            "Borra la que sobra.",
        ),
    },
    "json-single-quotes": {
        "en": (
            "This line is not valid JSON: it has single quotation marks (').",
            "This line is left out; the others are read.",
            'Write double ones: {{"prompt": "…", "completion": "…"}}.',
        ),
        "es": (
            "Esta línea no es JSON válido: lleva comillas simples (').",
            "Esta línea no se usa; las demás sí se leen.",
            'Pon comillas dobles: {{"prompt": "…", "completion": "…"}}.',
        ),
    },
    "json-comma": {
        "en": (
            "This line is not valid JSON: there is a comma before the closing bracket.",
            "This line is left out; the others are read.",
            "Delete that comma.",
        ),
        "es": (
            "Esta línea no es JSON válido: hay una coma antes de la llave de cierre.",
            "Esta línea no se usa; las demás sí se leen.",
            "Borra esa coma.",
        ),
    },
    "two-columns": {
        "en": (
            "{column} could be meant as well as {used}, which is the one that is used.",
            "Texts in the wrong one would be lost, or trained by mistake.",
            "Keep one of the two, or give the other a name such as notes.",
        ),
        "es": (
            "{column} podría ser lo mismo que {used}, que es lo que se usa.",
            "Lo que esté en la otra se perdería, o se entrenaría por error.",
            "Deja solo una de las dos, o llama a la otra, por ejemplo, notas.",
        ),
    },
    "same-columns": {
        "en": (
            "There are two columns called {column}; the one that comes first is used.",
            "What stands in the other is not read.",
            "Keep one of the two, or give the other a name such as notes.",
        ),
        "es": (
            "Hay dos columnas llamadas {column}; se usa la que va primero.",
            "Lo que esté en la otra no se lee.",
            "Deja solo una de las dos, o llama a la otra, por ejemplo, notas.",
        ),
    },
    "swapped": {
        "en": (
            "The replies in this file look like what people write, and the prompts like the brand.",
            "The columns may have changed places, and the bot would speak as people do.",
            "Look at the header, and exchange the two names if need be.",
        ),
        "es": (
            "Aquí las respuestas parecen de la gente, y las preguntas, de la marca.",
            "Puede que las columnas estén cambiadas; el bot hablaría como habla la gente.",
            "Mira la cabecera y, si hace falta, cambia los dos nombres.",
        ),
    },
    "echo": {
        "en": (
            "The reply says what the person said.",
            "The bot would learn to repeat people.",
            "Write what the brand would answer.",
        ),
        "es": (
            "La respuesta repite lo que ha dicho la persona.",
            "El bot aprendería a repetir a la gente.",
            "Escribe lo que contestaría la marca.",
        ),
    },
    "row-is-no-example": {
        "en": (
            "This row is a header or a line of dashes, not an example: {found}",
            "It is left out.",
            "Delete the row.",
        ),
        "es": (
            "Esta fila es una cabecera o una raya, no un ejemplo: {found}",
            "No se usa.",
            "Borra la fila.",
        ),
    },
    "cut-at-comma": {
        "en": (
            "A text of this row seems to be cut in two: {found}",
            "A comma or semicolon in it counts as the end of a cell; half of it would be used.",
            'Put the whole text in "quotes", or save the file from a spreadsheet.',
        ),
        "es": (
            "Un texto de esta fila parece partido en dos: {found}",
            "Una coma o un punto y coma suyo cuenta como fin de celda; se usaría la mitad.",
            'Pon el texto entero entre "comillas" o guarda el archivo desde una hoja de cálculo.',
        ),
    },
    "mixed-separators": {
        "en": (
            "The header is separated by {header}, the rows below it by {rows}.",
            "The rows would be cut in the wrong places.",
            "Write the same mark in the header.",
        ),
        "es": (
            "La cabecera se separa con {header} y las filas de abajo con {rows}.",
            "Las filas se partirían por donde no toca.",
            "Pon el mismo signo en la cabecera.",
        ),
    },
    "open-fence": {
        "en": (
            "A block of code (```) begins here and never ends.",
            "All headings below it are read as part of the text above.",
            "Delete the line, or write ``` where the block ends.",
        ),
        "es": (
            "Aquí empieza un bloque de código (```) que no se cierra.",
            "Todos los títulos de debajo se leen como parte del texto de arriba.",
            "Borra la línea, o escribe ``` donde acabe el bloque.",
        ),
    },
    "hidden-sheet": {
        "en": (
            "This sheet is hidden, so it is not read.",
            "Drafts are often kept in one.",
            "Show it in the spreadsheet and save, if its examples are meant.",
        ),
        "es": (
            "Esta hoja está oculta y no se lee.",
            "Ahí suelen guardarse borradores.",
            "Muéstrala en la hoja de cálculo y guarda, si sus ejemplos cuentan.",
        ),
    },
    "no-header-row": {
        "en": (
            "The table has no header row; its first row is one like the others: {found}",
            "The bot tells the rows without the names of the columns.",
            "Put a row above it that names the columns.",
        ),
        "es": (
            "La tabla no tiene fila de títulos; la primera es una como las demás: {found}",
            "El bot dice las filas sin los nombres de las columnas.",
            "Pon encima una fila con el nombre de cada columna.",
        ),
    },
    "private-column": {
        "en": (
            "Not told to customers: {found}.",
            "What something costs you is not for them.",
            "Give the column another name, such as Price, if it is.",
        ),
        "es": (
            "No se cuenta a los clientes: {found}.",
            "Lo que algo os cuesta a vosotros no es para ellos.",
            "Dale otro nombre a la columna, como Precio, si lo es.",
        ),
    },
    "hidden-cells": {
        "en": (
            "Hidden rows and columns are not read: {found}.",
            "What a sheet hides is often a draft or not for customers.",
            "Show them in the spreadsheet and save, if they are meant.",
        ),
        "es": (
            "No se leen las filas y columnas ocultas: {found}.",
            "Lo que una hoja oculta suele ser un borrador o no es para clientes.",
            "Muéstralas en la hoja de cálculo y guarda, si cuentan.",
        ),
    },
    "no-result": {
        "en": (
            "Formulas are saved here without their results: {found}.",
            "These cells count as empty.",
            "Open the file in a spreadsheet and save it, so that the results are in it.",
        ),
        "es": (
            "Aquí hay fórmulas guardadas sin su resultado: {found}.",
            "Estas celdas cuentan como vacías.",
            "Abre el archivo en una hoja de cálculo y guárdalo, para que lleve los resultados.",
        ),
    },
    "heading-in-reply": {
        "en": (
            "A heading is read as something a person says: {found}",
            "It stands below a question, as a part of its reply would.",
            "If it is one, write it in bold (**{found}**) instead of as a heading.",
        ),
        "es": (
            "Un título se lee como algo que dice una persona: {found}",
            "Está debajo de una pregunta, como una parte de su respuesta.",
            "Si lo es, ponlo en negrita (**{found}**) en vez de como título.",
        ),
    },
    "label-as-question": {
        "en": (
            "The heading only names what follows: {found}",
            "Headings are what people say, so this would be learnt as a question.",
            "Write the question itself as the heading, and the reply below it.",
        ),
        "es": (
            "El título solo dice qué viene debajo: {found}",
            "Los títulos son lo que dice la gente, así que se aprendería como pregunta.",
            "Pon la propia pregunta como título y la respuesta debajo.",
        ),
    },
    "title-as-question": {
        "en": (
            "A title is read as something a person says: {found}",
            "The text below it would be learnt as the reply.",
            "Delete the title or the text below it, or put ## before what people say.",
        ),
        "es": (
            "Un título se lee como algo que dice una persona: {found}",
            "El texto de debajo se aprendería como la respuesta.",
            "Borra el título o el texto de debajo, o pon ## delante de lo que dice la gente.",
        ),
    },
    "quote-inside": {
        "en": (
            "There are quotation marks inside a quoted cell; it may be cut wrongly: {found}",
            "The model would learn the cell as it stands here.",
            'Write two of them for one inside a cell (""), or save the table as .xlsx.',
        ),
        "es": (
            "Hay comillas dentro de una celda entre comillas, y puede que se corte mal: {found}",
            "El modelo aprendería la celda tal como está aquí.",
            'Dentro de una celda se escriben dobles (""); o guarda la tabla en .xlsx.',
        ),
    },
    "left-over": {
        "en": (
            "A program or a template left something in the text: {found}",
            "The bot would write it, too.",
            "Delete it, or write what is meant.",
        ),
        "es": (
            "Un programa o una plantilla dejó algo en el texto: {found}",
            "El bot lo escribiría también.",
            "Bórralo o escribe lo que toca.",
        ),
    },
    "bad-json": {
        "en": (
            "This line is not valid JSON: {reason}.",
            "This line is left out; the others are read.",
            (
                'Look for a missing " or comma. The form is '
                '{{"prompt": "…", "completion": "…"}}, one a line.'
            ),
        ),
        "es": (
            "Esta línea no es JSON válido: {reason}.",
            "Esta línea no se usa; las demás sí se leen.",
            (
                'Busca unas comillas " o una coma que falten. La forma es '
                '{{"prompt": "…", "completion": "…"}}, uno por línea.'
            ),
        ),
    },
    "json-not-object": {
        "en": (
            "This line holds {found}, not fields with texts.",
            "The line is left out.",
            'Write {{"prompt": "…", "completion": "…"}}, one a line.',
        ),
        "es": (
            "Esta línea contiene {found}, no campos con textos.",
            "La línea no se usa.",
            'Escribe {{"prompt": "…", "completion": "…"}}, uno por línea.',
        ),
    },
    "json-keys": {
        "en": (
            "This line has the fields {found}; a prompt and a completion are needed.",
            "It can't be told what the person says and what the brand replies.",
            "Name the fields prompt and completion (or give a list called messages).",
        ),
        "es": (
            "Esta línea tiene los campos {found}; hacen falta prompt y completion.",
            "No se sabe qué dice la persona y qué contesta la marca.",
            "Llama a los campos prompt y completion (o da una lista llamada messages).",
        ),
    },
    "not-text": {
        "en": (
            "{key} holds {found}, not text.",
            "Only text can be used; the line is left out.",
            'Put the text in "quotes".',
        ),
        "es": (
            "{key} contiene {found}, no un texto.",
            "Solo se pueden usar textos; la línea no se usa.",
            'Pon el texto entre "comillas".',
        ),
    },
    "not-list": {
        "en": (
            "{key} holds {found}, not a list of messages.",
            "The conversation can't be followed; the line is left out.",
            'Write [{{"role": "user", "content": "…"}}, {{"role": "assistant", "content": "…"}}].',
        ),
        "es": (
            "{key} contiene {found}, no una lista de mensajes.",
            "No se puede seguir la conversación; la línea no se usa.",
            'Pon [{{"role": "user", "content": "…"}}, {{"role": "assistant", "content": "…"}}].',
        ),
    },
    "bad-message": {
        "en": (
            "Message {position} does not say who speaks or what is said: {found}",
            "The conversation can't be followed; the line is left out.",
            "Give each message a role (user or assistant) and a content.",
        ),
        "es": (
            "El mensaje {position} no dice quién habla o qué dice: {found}",
            "No se puede seguir la conversación; la línea no se usa.",
            "Pon en cada mensaje un role (user o assistant) y un content.",
        ),
    },
    "system-ignored": {
        "en": (
            "The conversation has a system message, which is not used.",
            "Every example is trained with the brand's voice.md instead, as replies are.",
            "Nothing to do; what matters in it belongs in voice.md.",
        ),
        "es": (
            "La conversación lleva un mensaje de sistema, que no se usa.",
            "Todos los ejemplos se entrenan con el voice.md de la marca, igual que se responde.",
            "No hay que hacer nada; lo importante de ese mensaje va en voice.md.",
        ),
    },
    "bad-csv": {
        "en": (
            "This row can't be read: {reason}.",
            "It is left out; the others are read.",
            "Open the file in a spreadsheet and save it as CSV UTF-8.",
        ),
        "es": (
            "Esta fila no se puede leer: {reason}.",
            "Esta fila no se usa; las demás sí se leen.",
            "Abre el archivo en una hoja de cálculo y guárdalo como CSV UTF-8.",
        ),
    },
    "open-comment": {
        "en": (
            "A note to people begins here and never ends: {found}",
            "It hides its own line only; what stands below it counts.",
            "Write --> where the note ends, two hyphens and an arrow.",
        ),
        "es": (
            "Aquí empieza una nota para personas que no se cierra: {found}",
            "Solo esconde su propia línea; lo que hay debajo cuenta.",
            "Escribe --> donde acabe la nota: dos guiones y una flecha.",
        ),
    },
    "open-quote": {
        "en": (
            "A cell begins with a quotation mark that is never closed.",
            "The rows below would all end up in this one cell; this row is left out instead.",
            'Close the cell with ", or delete the mark. Write "" for a quote inside a cell.',
        ),
        "es": (
            "Una celda empieza con unas comillas que no se cierran.",
            "Las filas de abajo acabarían dentro de esta celda; por eso esta fila no se usa.",
            (
                'Cierra la celda con " o quita las comillas. Dentro de una celda, unas comillas se '
                'escriben "".'
            ),
        ),
    },
    "old-or-locked-excel": {
        "en": (
            "This is an Excel file of the old kind (.xls), or one with a password.",
            "Neither can be read, so nothing in it is used.",
            "Open it in Excel and save it as .xlsx, without a password.",
        ),
        "es": (
            "Este archivo de Excel es del tipo antiguo (.xls) o tiene contraseña.",
            "Ninguno de los dos se puede leer, así que no se usa nada de él.",
            "Ábrelo en Excel y guárdalo como .xlsx, sin contraseña.",
        ),
    },
    "bad-excel": {
        "en": (
            "This Excel file is damaged or is something else: {reason}.",
            "Nothing in it is used.",
            "Open it in Excel, let it be repaired, and save it again as .xlsx.",
        ),
        "es": (
            "Este archivo de Excel está dañado o es otra cosa: {reason}.",
            "No se usa nada de él.",
            "Ábrelo en Excel, deja que lo repare y guárdalo otra vez como .xlsx.",
        ),
    },
    "merged-across": {
        "en": (
            "The cells {range} are merged across columns.",
            "Prompt and reply share one cell, so that one of them is empty.",
            "Unmerge the cells and put each text in its own column.",
        ),
        "es": (
            "Las celdas {range} están combinadas a lo ancho.",
            "La pregunta y la respuesta comparten celda, y una de las dos queda vacía.",
            "Separa las celdas y pon cada texto en su columna.",
        ),
    },
    "merged-down": {
        "en": (
            "The cells {range} are merged over several rows.",
            "Their text counts for each of these rows.",
            "Nothing to do if that is what you meant; else unmerge them.",
        ),
        "es": (
            "Las celdas {range} están combinadas a lo alto.",
            "Su texto cuenta para cada una de esas filas.",
            "Si es lo que querías, no hay que hacer nada; si no, sepáralas.",
        ),
    },
    "no-header": {
        "en": (
            "The first row does not name the columns; found: {found}.",
            "It can't be told which column is the prompt and which the reply.",
            "Name the two columns prompt and completion: in this row if it has names, else in one "
            "above it.",
        ),
        "es": (
            "La primera fila no da nombre a las columnas; se ha encontrado: {found}.",
            "No se sabe qué columna es la pregunta y cuál la respuesta.",
            "Llama a las dos columnas pregunta y respuesta: en esta fila si lleva nombres; si no, "
            "en una encima.",
        ),
    },
    "facts-column": {
        "en": (
            "The column {column} is taken for facts that each reply was given to know.",
            "The bot learns to look such facts up, as in documents.",
            "Nothing to do if that is what it holds; else rename it, for example to notes.",
        ),
        "es": (
            "La columna {column} se toma por datos que cada respuesta tenía delante.",
            "El bot aprende a buscarlos, como en los documentos.",
            "Si eso es lo que contiene, no hay que hacer nada; si no, llámala por ejemplo notas.",
        ),
    },
    "notes-unread": {
        "en": (
            "The bot does not read this file: it is for notes among people.",
            "Facts that stand only here are unknown to it.",
            "If it should know them, give the file another name.",
        ),
        "es": (
            "El bot no lee este archivo: es para notas entre personas.",
            "Los datos que solo están aquí no los sabe.",
            "Si debe saberlos, ponle otro nombre al archivo.",
        ),
    },
    "stray-column": {
        "en": (
            "The column {column} is not used.",
            "Only the prompt and the reply are learnt from.",
            "Nothing to do if these are your notes; else move the text to one of the two.",
        ),
        "es": (
            "La columna {column} no se usa.",
            "Solo se aprende de la pregunta y de la respuesta.",
            "Si son notas tuyas, no hay que hacer nada; si no, pasa el texto a una de las dos.",
        ),
    },
    "too-many-cells": {
        "en": (
            "This row has {found} cells, the header {expected}.",
            "A comma or semicolon in a text has cut it in two, so this row is left out.",
            'Put the whole text in "quotes", or save the file from a spreadsheet.',
        ),
        "es": (
            "Esta fila tiene {found} celdas y la cabecera {expected}.",
            "Una coma o un punto y coma ha partido un texto en dos; esta fila no se usa.",
            'Pon el texto entero entre "comillas" o guarda el archivo desde una hoja de cálculo.',
        ),
    },
    "text-before-heading": {
        "en": (
            "There is text above the first heading: {found}",
            "It belongs to no question, so it is not learnt.",
            "Put what the person says above it, as a line that begins with ##.",
        ),
        "es": (
            "Hay texto antes del primer título: {found}",
            "No pertenece a ninguna pregunta, así que no se aprende.",
            "Pon encima lo que dice la persona, en una línea que empiece por ##.",
        ),
    },
    # --- Documents in knowledge/ -----------------------------------------------------------------
    "unknown-document": {
        "en": (
            "Files of the kind {suffix} can't be read as documents.",
            "The bot does not know what is in it.",
            "Save it as .docx, .pdf, .md, .txt, .html, .csv or .xlsx, or move it elsewhere.",
        ),
        "es": (
            "Los archivos de tipo {suffix} no se pueden leer como documentos.",
            "El bot no sabe lo que contiene.",
            "Guárdalo como .docx, .pdf, .md, .txt, .html, .csv o .xlsx, o ponlo en otra parte.",
        ),
    },
    "no-text": {
        "en": (
            "No text was found in this file.",
            "The bot can't look anything up in it.",
            "Write in it what the bot should know, or take it out of knowledge/.",
        ),
        "es": (
            "En este archivo no hay texto.",
            "El bot no puede consultar nada en él.",
            "Escribe en él lo que el bot debe saber o sácalo de knowledge/.",
        ),
    },
    "too-large": {
        "en": (
            "The file holds more than {most} MB.",
            "Reading it would take too much time and memory, so nothing in it is used.",
            "Split it into several files, or take out pictures and what the bot need not know.",
        ),
        "es": (
            "El archivo ocupa más de {most} MB.",
            "Leerlo llevaría demasiado tiempo y memoria; no se usa nada de él.",
            "Divídelo en varios archivos, o quita las imágenes y lo que el bot no tenga que saber.",
        ),
    },
    "broken-document": {
        "en": (
            "The file is damaged or is something else than its name says: {reason}.",
            "What can't be read is not used.",
            "Open it in the program it was made with and save it again.",
        ),
        "es": (
            "El archivo está dañado o no es lo que dice su nombre: {reason}.",
            "Lo que no se puede leer no se usa.",
            "Ábrelo con el programa con que se hizo y guárdalo otra vez.",
        ),
    },
    "too-nested": {
        "en": (
            "Lists, quotes or page elements are inside each other too many times.",
            "What is innermost can't be read, nor perhaps what follows it.",
            "Write it with fewer levels, or save the text in a simpler form (.docx or .txt).",
        ),
        "es": (
            "Hay demasiadas listas, citas o elementos de página unos dentro de otros.",
            "Lo que está más adentro no se puede leer, y quizá tampoco lo que sigue.",
            "Escríbelo con menos niveles, o guarda el texto de forma más simple (.docx o .txt).",
        ),
    },
    "locked-pdf": {
        "en": (
            "The PDF is protected with a password or encrypted.",
            "It can't be opened, so nothing in it is used.",
            "Save it again without protection, or print it to a new PDF.",
        ),
        "es": (
            "El PDF está protegido con contraseña o cifrado.",
            "No se puede abrir, así que no se usa nada de él.",
            "Guárdalo otra vez sin protección, o imprímelo en un PDF nuevo.",
        ),
    },
    "scanned-pdf": {
        "en": (
            "The PDF has pages but no text: they are pictures, probably scanned.",
            "Pictures of text can't be read, so nothing in it is used.",
            "Use the document it was printed from, or have its text recognised (OCR) first.",
        ),
        "es": (
            "El PDF tiene páginas pero no texto: son imágenes, seguramente escaneadas.",
            "Las imágenes de texto no se pueden leer, así que no se usa nada de él.",
            "Usa el documento del que salió, o pásale antes un reconocimiento de texto (OCR).",
        ),
    },
    "page-without-text": {
        "en": (
            "Page {page} has no text; it is empty or a picture.",
            "The bot does not know what is on it; the other pages are read.",
            "Nothing to do if it is empty; else write down what it says, or use OCR.",
        ),
        "es": (
            "La página {page} no tiene texto: está vacía o es una imagen.",
            "El bot no sabe lo que hay en ella; las demás páginas sí se leen.",
            "Si está vacía, no hay que hacer nada; si no, escribe lo que dice o usa OCR.",
        ),
    },
    "broken-page": {
        "en": (
            "Page {page} can't be read: {reason}.",
            "The bot does not know what is on it.",
            "Open the PDF, print it to a new PDF, and use that.",
        ),
        "es": (
            "La página {page} no se puede leer: {reason}.",
            "El bot no sabe lo que hay en ella.",
            "Abre el PDF, imprímelo en un PDF nuevo y usa ese.",
        ),
    },
    "old-or-locked-word": {
        "en": (
            "This is a Word file of the old kind (.doc), or one with a password.",
            "Neither can be read, so nothing in it is used.",
            "Open it in Word and save it as .docx, without a password.",
        ),
        "es": (
            "Este archivo de Word es del tipo antiguo (.doc) o tiene contraseña.",
            "Ninguno de los dos se puede leer, así que no se usa nada de él.",
            "Ábrelo en Word y guárdalo como .docx, sin contraseña.",
        ),
    },
    "huge-sheet": {
        "en": (
            "The sheet reaches to row {rows} and column {columns}.",
            "Something stands far away from the table, so the sheet is not read.",
            "Delete the empty rows below and the empty columns beside the table, and save.",
        ),
        "es": (
            "La hoja llega hasta la fila {rows} y la columna {columns}.",
            "Hay algo muy lejos de la tabla; por eso la hoja no se lee.",
            "Borra las filas vacías de debajo y las columnas vacías de al lado, y guarda.",
        ),
    },
    "faq-keys": {
        "en": (
            "This line has the fields {found}; a question and an answer are needed.",
            "It can't be told what is asked and what the answer is; the line is left out.",
            "Name the fields question and answer.",
        ),
        "es": (
            "Esta línea tiene los campos {found}; hacen falta pregunta y respuesta.",
            "No se sabe qué se pregunta y qué se contesta; la línea no se usa.",
            "Llama a los campos pregunta y respuesta.",
        ),
    },
    "half-question": {
        "en": (
            "Here is a question without an answer, or an answer without a question: {found}",
            "One is of no use without the other; it is left out.",
            "Fill in the empty cell, or delete the row.",
        ),
        "es": (
            "Aquí hay una pregunta sin respuesta, o una respuesta sin pregunta: {found}",
            "La una no sirve sin la otra; no se usa.",
            "Rellena la celda vacía o borra la fila.",
        ),
    },
    "unused-column": {
        "en": (
            "The column {column} is not used.",
            "Of a table of questions only the answers, topics and days of validity are.",
            "Nothing to do if these are your notes; else put the text into the answer.",
        ),
        "es": (
            "La columna {column} no se usa.",
            "De una tabla de preguntas solo valen las respuestas, los temas y las fechas.",
            "Si son notas tuyas, no hay que hacer nada; si no, pasa el texto a la respuesta.",
        ),
    },
    "bad-date": {
        "en": (
            "This is not a date that can be read: {found}.",
            "What it is the date of is left out: nobody can tell when that holds.",
            "Write it as 2026-11-24 or 24/11/2026.",
        ),
        "es": (
            "Esta fecha no se entiende: {found}.",
            "Lo que depende de ella no se usa: no se sabe cuándo vale.",
            "Escríbela como 2026-11-24 o 24/11/2026.",
        ),
    },
    "dates-reversed": {
        "en": (
            "It is valid from {start} until {end}, which is earlier.",
            "There is no day on which the bot would say it.",
            "Correct one of the two dates.",
        ),
        "es": (
            "Vale desde {start} hasta {end}, que es anterior.",
            "No hay ningún día en que el bot lo pueda decir.",
            "Corrige una de las dos fechas.",
        ),
    },
    "expired-fact": {
        "en": (
            "This was valid until {day} and is over: \u201c{found}\u201d{more}.",
            "The bot no longer says it, and has nothing else to say instead.",
            "Write what holds now, with its own dates, or delete it.",
        ),
        "es": (
            "Esto valía hasta el {day} y ya ha pasado: «{found}»{more}.",
            "El bot ya no lo dice, y no tiene otra cosa que decir en su lugar.",
            "Escribe lo que vale ahora, con sus fechas, o bórralo.",
        ),
    },
    "coming-fact": {
        "en": (
            "This is valid from {day} on: \u201c{found}\u201d{more}.",
            "Until then the bot does not say it.",
            "Nothing to do if the date is right.",
        ),
        "es": (
            "Esto vale a partir del {day}: «{found}»{more}.",
            "Hasta entonces el bot no lo dice.",
            "Si la fecha es correcta, no hay que hacer nada.",
        ),
    },
    "ending-fact": {
        "en": (
            "This is valid until {day} only: \u201c{found}\u201d{more}.",
            "From the next day on the bot no longer says it.",
            "Write beside it what holds from then on, with its own dates.",
        ),
        "es": (
            "Esto vale solo hasta el {day}: «{found}»{more}.",
            "A partir del día siguiente el bot ya no lo dice.",
            "Escribe al lado lo que valdrá desde entonces, con sus fechas.",
        ),
    },
    "no-knowledge-extra": {
        "en": (
            "The documents were not looked at: the package {package} is not installed.",
            "Without it the bot can't look anything up in them, either.",
            "Run pip install 'brandbot[knowledge]' in a terminal.",
        ),
        "es": (
            "No se han revisado los documentos: falta instalar el paquete {package}.",
            "Sin él, el bot tampoco puede consultar nada en ellos.",
            "Ejecuta pip install 'brandbot[knowledge]' en una terminal.",
        ),
    },
    # --- Examples beside the documents -----------------------------------------------------------
    "contradicts-document": {
        "en": (
            "A reply says {said}, but {source} says: \u201c{fact}\u201d",
            "What an example says is learnt by heart: the bot would go on saying it.",
            (
                "Facts belong in knowledge/: take the figure out of the example, "
                "or run brandbot check {persona} --fix."
            ),
        ),
        "es": (
            "Una respuesta dice {said}, pero {source} dice: «{fact}»",
            "Lo que dice un ejemplo se aprende de memoria: el bot lo seguiría diciendo.",
            (
                "Los datos van en knowledge/: quita la cifra del ejemplo "
                "o ejecuta brandbot check {persona} --fix."
            ),
        ),
    },
    "changed-meanwhile": {
        "en": (
            "The file was changed while you were asked.",
            "Nothing was taken out, so that no change is lost.",
            "Save it in the other program, then run the command again.",
        ),
        "es": (
            "El archivo ha cambiado mientras se te preguntaba.",
            "No se ha quitado nada, para no perder ningún cambio.",
            "Guárdalo en el otro programa y ejecuta la orden otra vez.",
        ),
    },
    "none-held-out": {
        "en": (
            "By chance no example is held out, and evals/ has no questions.",
            "A version can't be measured without, and goes live by itself only if it was.",
            "Add a few examples (about one in seven is held out), or questions: the README in "
            "evals/ shows how.",
        ),
        "es": (
            "Por azar, ningún ejemplo queda apartado, y evals/ no tiene preguntas.",
            "Sin ellos una versión no se puede medir, y solo entra en servicio por sí sola si se "
            "ha medido.",
            "Añade unos cuantos ejemplos (se aparta más o menos uno de cada siete), o preguntas: "
            "el LEEME de evals/ enseña cómo.",
        ),
    },
    "few-facts": {
        "en": (
            "Examples with facts: {count}. {fewest} to {most} help.",
            (
                "From them the model learns to answer with what the documents say, "
                "instead of making it up."
            ),
            (
                'Write some, with invented figures. In .jsonl: {{"prompt": "How much is a latte?", '
                '"facts": ["Drinks: Latte: £3.10"], "completion": "£3.10, and worth the walk."}} '
                "In .csv or .xlsx: a column facts, each fact on a line of its own in the cell."
            ),
        ),
        "es": (
            "Ejemplos con datos: {count}. De {fewest} a {most} ayudan.",
            (
                "Con ellos el modelo aprende a contestar con lo que dicen los documentos, "
                "en vez de inventárselo."
            ),
            (
                'Escribe unos cuantos, con cifras inventadas. En .jsonl: {{"prompt": "¿Cuánto vale '
                'un cortado?", "datos": ["Cafés: Cortado: 1,30 €"], "completion": "1,30 €, y con '
                'galleta."}} En .csv o .xlsx: una columna datos, cada dato en su línea de la celda.'
            ),
        ),
    },
    "no-handoff": {
        "en": (
            "handoff is empty: what the bot says when the documents don't hold the answer.",
            "It would say a plain sentence of ours, without your voice.",
            "Write under handoff: a few sentences that say so as the brand does, and whom to ask.",
        ),
        "es": (
            "handoff está vacío: lo que dice el bot cuando la respuesta no está en los documentos.",
            "Diría una frase nuestra, sin la voz de tu marca.",
            "Escribe en handoff: unas frases que lo digan como la marca, y a quién preguntar.",
        ),
    },
    # --- How many --------------------------------------------------------------------------------
    "too-few": {
        "en": (
            "There are {count} examples; at least {fewest} are needed.",
            "With so few the model learns the sentences by heart and not the voice.",
            "Write more: {goal} to {most} is the goal, short and long, easy and awkward ones.",
        ),
        "es": (
            "Hay {count} ejemplos; hacen falta al menos {fewest}.",
            "Con tan pocos, el modelo se aprende las frases de memoria y no la voz.",
            "Escribe más: lo ideal son de {goal} a {most}, cortos y largos, fáciles y difíciles.",
        ),
    },
    "more-wanted": {
        "en": (
            "There are {count} examples; {goal} to {most} is the goal.",
            "It can be trained, but the voice will be unsteady.",
            "Add more when you can, above all for what people ask in other ways.",
        ),
        "es": (
            "Hay {count} ejemplos; lo ideal son de {goal} a {most}.",
            "Se puede entrenar, pero la voz saldrá inestable.",
            "Añade más cuando puedas, sobre todo preguntas hechas de otra manera.",
        ),
    },
    # --- Examples beside each other --------------------------------------------------------------
    "duplicate": {
        "en": (
            "This example is already at {other}.",
            "What is there twice is learnt twice as hard.",
            "Delete one of the two.",
        ),
        "es": (
            "Este ejemplo ya está en {other}.",
            "Lo que está dos veces se aprende con el doble de fuerza.",
            "Borra uno de los dos.",
        ),
    },
    "near-duplicate": {
        "en": (
            "This example is nearly the same as {other}.",
            "It adds little, and what both say is learnt too hard.",
            "Delete one, or make them truly different.",
        ),
        "es": (
            "Este ejemplo es casi igual que {other}.",
            "Aporta poco, y lo que dicen los dos se aprende con demasiada fuerza.",
            "Borra uno o haz que sean distintos de verdad.",
        ),
    },
    "contradiction": {
        "en": (
            "The same words get another reply at {other}.",
            "If the two say different things, the model will say now one and now the other.",
            "Read both. Keep one, or make sure that both are true.",
        ),
        "es": (
            "Las mismas palabras reciben otra respuesta en {other}.",
            "Si las dos dicen cosas distintas, el modelo dirá unas veces una y otras la otra.",
            "Lee las dos. Quédate con una o asegúrate de que ambas son verdad.",
        ),
    },
    "split-leak": {
        "en": (
            "Almost the same prompt is trained at {other}; this one is kept for {side}.",
            "The test would then ask what the model has seen, and the figures look too good.",
            "Reword one clearly, or write both alike in every letter so they stay on one side.",
        ),
        "es": (
            "Casi la misma pregunta se entrena en {other}; esta se reserva para {side}.",
            "Entonces se examina con lo ya visto y las cifras salen demasiado buenas.",
            "Cambia una de verdad, o escríbelas idénticas para que caigan del mismo lado.",
        ),
    },
    "author-share": {
        "en": (
            "Not trained on: one person's words would be over {limit} of the examples.",
            "A voice that one person makes is theirs, not the brand's. Their newest are kept.",
            "Approve more of other people's, or raise review.max_author in persona.yaml.",
        ),
        "es": (
            "No se entrena: lo de una sola persona pasaría del {limit} de los ejemplos.",
            "Una voz que hace una sola persona es la suya, no la de la marca. Queda lo más nuevo.",
            "Aprueba más de otras personas o sube review.max_author en persona.yaml.",
        ),
    },
    "unedited-share": {
        "en": (
            "Not trained on: replies the bot wrote and nobody edited would be over {limit}.",
            "A model that learns from its own words drifts. The newest of them are kept.",
            "Write or edit more replies, or raise review.max_unedited in persona.yaml.",
        ),
        "es": (
            "No se entrena: las respuestas del bot que nadie retocó pasarían del {limit}.",
            "Un modelo que aprende de sus propias palabras se desvía. Quedan las más nuevas.",
            "Escribe o retoca más respuestas, o sube review.max_unedited en persona.yaml.",
        ),
    },
    "repeated-sentence": {
        "en": (
            "Not trained on: {count} approved replies before it say a sentence of this one.",
            "Whoever wants the bot to learn a phrase says it often.",
            "If it is the brand's, write it into an example of your own; else take this one out.",
        ),
        "es": (
            "No se entrena: {count} respuestas aprobadas antes dicen ya una frase de esta.",
            "Quien quiere que el bot aprenda una frase la repite mucho.",
            "Si es de la marca, ponla en un ejemplo tuyo; si no, quita este.",
        ),
    },
    "provenance-form": {
        "en": (
            "The note of where this example comes from is damaged: {found}.",
            "It counts as some unknown person's, within review.max_author.",
            'Restore the {{…}} after "provenance", or delete that key to make it your own.',
        ),
        "es": (
            "La nota de dónde viene este ejemplo está dañada: {found}.",
            "Cuenta como de una persona desconocida, dentro de review.max_author.",
            'Restaura las {{…}} tras "provenance", o borra esa clave para hacerlo tuyo.',
        ),
    },
    "in-test-split": {
        "en": (
            "Not trained on: its question is one that versions are tested with.",
            "The test would then ask what the model has seen, and the figures look too good.",
            "Nothing to do; to train on it, take the test question out of the examples or evals/.",
        ),
        "es": (
            "No se entrena: su pregunta es una de las del examen de las versiones.",
            "Entonces se examina con lo ya visto y las cifras salen demasiado buenas.",
            "Nada que hacer; para entrenarla, quita la pregunta de los ejemplos o de evals/.",
        ),
    },
    "eval-leak": {
        "en": (
            "This test question is also a training example at {other}.",
            "The exam would ask what was learnt by heart, and the figures look too good.",
            "Change the question, or take the example out.",
        ),
        "es": (
            "Esta pregunta de examen es también un ejemplo de entrenamiento en {other}.",
            "El examen preguntaría lo aprendido de memoria y las cifras saldrían demasiado buenas.",
            "Cambia la pregunta o quita el ejemplo.",
        ),
    },
    "expect-wrong": {
        "en": (
            "By its own must_contain or must_not_contain, “{expect}” would be a wrong answer.",
            "A version that says just this counts as wrong. Numbers are whole: £0.80 is not 80.",
            "Mend expect or these conditions ({lists}).",
        ),
        "es": (
            "Según su must_contain o must_not_contain, «{expect}» sería una respuesta mala.",
            "La versión que diga justo eso falla. Los números van enteros: 0,80 no es 80.",
            "Corrige expect o estas condiciones ({lists}).",
        ),
    },
    "bad-eval": {
        "en": (
            "This evaluation question can't be read: {what}.",
            "The question is left out of evaluations; the other lines are read.",
            (
                'Write one JSON object a line, such as {{"prompt": "…", "must_contain": ["…"]}}. '
                "Its keys may be: {keys}."
            ),
        ),
        "es": (
            "Esta pregunta de evaluación no se entiende: {what}.",
            "La pregunta no entra en las evaluaciones; las demás líneas sí se leen.",
            (
                'Escribe un objeto JSON por línea, como {{"prompt": "…", "must_contain": ["…"]}}. '
                "Sus claves pueden ser: {keys}."
            ),
        ),
    },
    "same-opening": {
        "en": (
            "{count} replies ({percent}%) begin with \u201c{found}\u201d.",
            "The bot would begin most of its replies like that.",
            "Give some of them another beginning.",
        ),
        "es": (
            "{count} respuestas ({percent} %) empiezan por «{found}».",
            "El bot empezaría así la mayoría de sus respuestas.",
            "Dales otro comienzo a unas cuantas.",
        ),
    },
    "same-length": {
        "en": (
            "{percent}% of the replies are about {words} words long.",
            "The bot would answer hello at the same length as a complaint.",
            "Add some short replies and some longer ones.",
        ),
        "es": (
            "El {percent} % de las respuestas tiene unas {words} palabras.",
            "El bot contestaría a un hola con la misma extensión que a una queja.",
            "Añade algunas respuestas cortas y otras más largas.",
        ),
    },
    "same-prompts": {
        "en": (
            "{count} prompts ({percent}%) begin with \u201c{found}\u201d.",
            "People ask in many ways; the bot would know one of them.",
            "Reword some as people really type: short, sloppy, angry, by the way.",
        ),
        "es": (
            "{count} preguntas ({percent} %) empiezan por «{found}».",
            "La gente pregunta de muchas maneras y el bot solo conocería una.",
            "Cambia algunas a como se escribe de verdad: cortas, con prisas, con enfado.",
        ),
    },
    "same-topic": {
        "en": (
            "{count} prompts ({percent}%) are about \u201c{found}\u201d.",
            "Outside this topic the bot has no voice of its own.",
            "Add other topics, small talk and questions the bot can't answer.",
        ),
        "es": (
            "{count} preguntas ({percent} %) tratan de «{found}».",
            "Fuera de ese tema el bot no tendrá voz propia.",
            "Añade otros temas, charla y preguntas que el bot no pueda contestar.",
        ),
    },
    # --- What stands in an example ---------------------------------------------------------------
    "sample-left": {
        "en": (
            "This is still one of the samples that brandbot new wrote.",
            "The bot would talk like our sample and not like your brand.",
            "Replace it with an example of your own, without the [sample].",
        ),
        "es": (
            "Esto es todavía una de las muestras que escribió brandbot new.",
            "El bot hablaría como nuestra muestra y no como tu marca.",
            "Cámbiala por un ejemplo tuyo, sin el [muestra].",
        ),
    },
    "long-reply": {
        "en": (
            "A reply has {count} characters; over {most} is very long for a chat.",
            "The bot would learn to give speeches.",
            "Say it shorter, or split it into a conversation of several turns.",
        ),
        "es": (
            "Una respuesta tiene {count} caracteres; más de {most} es muy largo para un chat.",
            "El bot aprendería a dar discursos.",
            "Dilo más corto o repártelo en una conversación de varios turnos.",
        ),
    },
    "long-example": {
        "en": (
            "With voice.md the example is about {count} tokens long; {most} is the most.",
            "If it is really longer, training leaves it out.",
            "Shorten the conversation or voice.md, or raise training.max_length.",
        ),
        "es": (
            "Junto con voice.md el ejemplo ocupa unos {count} tokens; el máximo es {most}.",
            "Si de verdad lo supera, el entrenamiento lo deja fuera.",
            "Acorta la conversación o voice.md, o sube training.max_length.",
        ),
    },
    "short-reply": {
        "en": (
            "A reply is a single word: {found}.",
            "There is little voice in one word.",
            "Fine if the brand is like that; else add a few words.",
        ),
        "es": (
            "Una respuesta es una sola palabra: {found}.",
            "En una palabra cabe poca voz.",
            "Si la marca es así, vale; si no, añade unas palabras.",
        ),
    },
    "wrong-language": {
        "en": (
            "A reply is in {found}; the persona speaks {expected}.",
            "The bot would mix languages.",
            "Translate the reply, or change language in persona.yaml.",
        ),
        "es": (
            "Una respuesta está en {found}; la marca habla {expected}.",
            "El bot mezclaría idiomas.",
            "Traduce la respuesta o cambia language en persona.yaml.",
        ),
    },
    "prompt-language": {
        "en": (
            "The person writes in {found}; the persona speaks {expected}.",
            "That is fine if it shows how the brand answers strangers.",
            "Nothing to do if you meant it; else translate it.",
        ),
        "es": (
            "La persona escribe en {found}; la marca habla {expected}.",
            "Está bien si enseña cómo se contesta a quien habla otro idioma.",
            "Si es a propósito, no hay que hacer nada; si no, tradúcelo.",
        ),
    },
    "personal-data": {
        "en": (
            "There is {kind} in the text ({found}).",
            "The model could give it to a stranger, and it can't be taken out of it again.",
            "Write it without or with an invented one (ana@example.com), or delete the example.",
        ),
        "es": (
            "El texto contiene {kind} ({found}).",
            "El modelo podría dárselo a cualquiera, y ya no se le puede sacar.",
            "Escríbelo sin el dato o con uno inventado, como ana@example.com; o borra el ejemplo.",
        ),
    },
    "secret": {
        "en": (
            "There is {kind} in the example ({found}).",
            "Whoever reads the file or talks to the bot could use it.",
            "Take it out, and have it changed where it belongs: it is no longer secret.",
        ),
        "es": (
            "El ejemplo contiene {kind} ({found}).",
            "Quien lea el archivo o hable con el bot podría usarla.",
            "Quítala y pide que la cambien donde se use: ya no es secreta.",
        ),
    },
    "placeholder": {
        "en": (
            "Not trained on: something personal was taken out of this reply.",
            "The bot would learn to say the words in brackets.",
            "Write the reply without them, or put the contact in knowledge/ and approve it again.",
        ),
        "es": (
            "No se entrena: a esta respuesta se le quitó un dato personal.",
            "El bot aprendería a decir lo que hay entre corchetes.",
            "Escribe la respuesta sin eso, o pon el contacto en knowledge/ y apruébala otra vez.",
        ),
    },
    "excel-error": {
        "en": (
            "This is what a spreadsheet left of a cell: {found}.",
            "The bot would say that.",
            "Mend the cell in the spreadsheet, and save it again.",
        ),
        "es": (
            "Esto es lo que la hoja de cálculo dejó de una celda: {found}.",
            "El bot diría eso.",
            "Arregla la celda en la hoja de cálculo y vuelve a guardarla.",
        ),
    },
    "letters-as-marks": {
        "en": (
            "A question mark stands inside a word: {found}.",
            "A program may have lost a letter there, and in other words with it.",
            "Take the file from before, or save it anew as UTF-8; else put a space after the mark.",
        ),
        "es": (
            "Hay un signo de interrogación dentro de una palabra: {found}.",
            "Puede que un programa perdiera ahí una letra, y otras en otras palabras.",
            "Usa el archivo anterior o guárdalo como UTF-8; si no, deja un espacio tras el signo.",
        ),
    },
    "full-column": {
        "en": (
            "The column {column} is not used, and it is full of text.",
            "Learnt are {prompt} as what people write and {reply} as the brand's answer.",
            "If one of these is another column, name the two columns prompt and completion.",
        ),
        "es": (
            "La columna {column} no se usa y está llena de texto.",
            "Se aprende de {prompt} como lo que escribe la gente y de {reply} como la respuesta.",
            "Si alguna de las dos es otra columna, ponles de nombre pregunta y respuesta.",
        ),
    },
    "voice-misnamed": {
        "en": (
            "voice.md is missing; beside it is {found}.",
            "How the brand speaks is read from voice.md alone, a text file.",
            "Save the text of {found} as plain text with the name voice.md.",
        ),
        "es": (
            "Falta voice.md; al lado está {found}.",
            "Cómo habla la marca se lee solo de voice.md, un archivo de texto.",
            "Guarda el texto de {found} como texto sin formato con el nombre voice.md.",
        ),
    },
    "excel-day": {
        "en": (
            "Excel made a day of what was typed here: it holds {found}.",
            "It does that with 2-3 or 3/4; the bot would tell the date.",
            "If no date was meant, format the column as text and type it again.",
        ),
        "es": (
            "Excel hizo una fecha de lo que se escribió aquí: hay {found}.",
            "Lo hace con 2-3 o 3/4; el bot diría la fecha.",
            "Si no era una fecha, pon la columna en formato de texto y escríbelo otra vez.",
        ),
    },
    "eval-format": {
        "en": (
            "Files of type {found} are not read in evals/.",
            "No version is asked these questions.",
            'Save it as .jsonl: one JSON object a line, for example {{"prompt": "…"}}.',
        ),
        "es": (
            "En evals/ no se leen archivos de tipo {found}.",
            "A ninguna versión se le hacen estas preguntas.",
            'Guárdalo como .jsonl: un objeto JSON por línea, por ejemplo {{"prompt": "…"}}.',
        ),
    },
    "unknown-validity": {
        "en": (
            "This looks like a day from or until which the facts hold, and is not read: {found}",
            "They would be said for ever.",
            "Write valid_from: 2026-01-01 or valid_until: 2026-12-31, a space after the colon, "
            "between two lines of --- at the top of the file or as the name of a column.",
        ),
        "es": (
            "Esta línea parece decir desde o hasta cuándo valen los datos, y no se lee: {found}",
            "Se seguirían diciendo para siempre.",
            "Escribe valid_from: 2026-01-01 o valid_until: 2026-12-31, con un espacio tras los dos "
            "puntos, entre dos líneas --- al principio del archivo o como nombre de columna.",
        ),
    },
    "lost-letters": {
        "en": (
            "{count} letters of this text were lost when the file was saved (\ufffd).",
            "The bot would write them like that.",
            "Type these letters again and save the file as UTF-8.",
        ),
        "es": (
            "Al guardar el archivo se perdieron {count} letras de este texto (\ufffd).",
            "El bot las escribiría así.",
            "Vuelve a escribir esas letras y guarda el archivo como UTF-8.",
        ),
    },
    "mojibake": {
        "en": (
            "There are garbled letters: {found}, which was probably {meant}.",
            "The bot would write them like that.",
            "Replace them, and save the file as UTF-8 from now on.",
        ),
        "es": (
            "Hay letras estropeadas: {found}, que seguramente era {meant}.",
            "El bot las escribiría así.",
            "Corrígelas y, a partir de ahora, guarda el archivo como UTF-8.",
        ),
    },
    "html-code": {
        "en": (
            "There is web page code in the text: {found}, which stands for \u201c{meant}\u201d.",
            "The bot would write the code and not the letter.",
            "Write the letter itself.",
        ),
        "es": (
            "Hay un código de página web en el texto: {found}, que significa «{meant}».",
            "El bot escribiría el código y no la letra.",
            "Escribe la letra tal cual.",
        ),
    },
    "never-say": {
        "en": (
            "A reply says \u201c{word}\u201d, which persona.yaml forbids (rules.never_say).",
            "The bot learns from examples more than from rules: it would say it.",
            "Say it in other words, or take the word off the list.",
        ),
        "es": (
            "Una respuesta dice «{word}», que persona.yaml prohíbe (rules.never_say).",
            "El bot aprende más de los ejemplos que de las reglas: lo diría.",
            "Dilo con otras palabras o quita la palabra de la lista.",
        ),
    },
    "no-emoji": {
        "en": (
            "A reply has an emoji ({found}); rules.emoji in persona.yaml says none.",
            "The bot learns from examples more than from rules.",
            "Delete it, or change the rule.",
        ),
        "es": (
            "Una respuesta lleva un emoji ({found}); en persona.yaml, rules.emoji dice none.",
            "El bot aprende más de los ejemplos que de las reglas.",
            "Bórralo o cambia la regla.",
        ),
    },
    "many-emoji": {
        "en": (
            "A reply has {count} emoji; rules.emoji in persona.yaml says sparing: at most one.",
            "The bot learns from examples more than from rules.",
            "Keep one of them, or change the rule.",
        ),
        "es": (
            "Una respuesta lleva {count} emojis; en persona.yaml, rules.emoji dice sparing: uno.",
            "El bot aprende más de los ejemplos que de las reglas.",
            "Deja uno o cambia la regla.",
        ),
    },
    "many-sentences": {
        "en": (
            "A reply has {count} sentences; rules.max_sentences in persona.yaml is {most}.",
            "The bot learns from examples more than from rules.",
            "Say it shorter, or change the rule.",
        ),
        "es": (
            "Una respuesta tiene {count} frases; en persona.yaml, rules.max_sentences es {most}.",
            "El bot aprende más de los ejemplos que de las reglas.",
            "Dilo más corto o cambia la regla.",
        ),
    },
    "changing-fact": {
        "en": (
            "A reply holds {kind} ({found}).",
            "Facts change; what is trained stays. The bot would go on saying the old one.",
            "Take it out of the reply and write it in a document in knowledge/.",
        ),
        "es": (
            "Una respuesta contiene {kind} ({found}).",
            "Los datos cambian y lo aprendido se queda: el bot seguiría diciendo el viejo.",
            "Quítalo de la respuesta y escríbelo en un documento de knowledge/.",
        ),
    },
}
