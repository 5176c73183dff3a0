"""The words of the report's pages in English and Spanish, and numbers as each language writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from brandbot.evaluation.report import METRICS

WORDS: dict[str, tuple[str, str]] = {
    # Small words
    "and": ("and", "y"),
    "range": ("{low} to {high}", "{low} a {high}"),
    "told_interval": (", 95% interval {interval}", ", intervalo del 95%: {interval}"),
    "points": ("points", "puntos"),
    "unit_nats": ("nats a token", "nats por token"),
    "seconds": ("{n} seconds", "{n} segundos"),
    "minutes": ("{n} minutes", "{n} minutos"),
    "months": (
        "January February March April May June July August September October November December",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "day": ("{day} {month} {year}, {time} UTC", "{day} de {month} de {year}, {time} UTC"),
    # The verdict: may it go live
    "passes": ("Version {version} may go live: it passes ",
               "La versión {version} puede ponerse en servicio: cumple "),
    "live_passes": ("Version {version} is live and passes ",
                    "La versión {version} está en servicio y cumple "),
    "all_of": ("all {all} conditions.", "las {all} condiciones."),
    "measured_of": (
        "all {measured} conditions that could be measured (not measured: {missing}).",
        "las {measured} condiciones que se pudieron medir (sin medir: {missing}).",
    ),
    "fails": (
        "Version {version} should not go live: it fails {failed} of {all} conditions ({names})",
        "La versión {version} no debería ponerse en servicio: incumple {failed} de {all} "
        "condiciones ({names})",
    ),
    "live_fails": (
        "Version {version} is live although it fails {failed} of {all} conditions ({names})",
        "La versión {version} está en servicio aunque incumple {failed} de {all} condiciones "
        "({names})",
    ),
    "and_no_style": (
        ", and its style could not be measured because {why}",
        ", y su estilo no se pudo medir porque {why}",
    ),
    "no_style": (
        "Version {version} should not go live yet: its style could not be measured because {why}.",
        "La versión {version} no debería ponerse en servicio todavía: su estilo no se pudo medir "
        "porque {why}.",
    ),
    "absent": (
        "Version {version} should not go live yet: its style could not be compared with the live "
        "version's, which is damaged or runs on another base model.",
        "La versión {version} no debería ponerse en servicio todavía: su estilo no se pudo comparar "
        "con el de la versión en servicio, que está dañada o usa otro modelo base.",
    ),
    "no_style_first": (
        "Version {version} fails nothing and may go live as the first one, but its style could not "
        "be measured because {why}.",
        "La versión {version} no incumple nada y puede ponerse en servicio por ser la primera, "
        "pero su estilo no se pudo medir porque {why}.",
    ),
    "live_no_style": (
        "Version {version} is live and fails nothing, but its style could not be measured because "
        "{why}.",
        "La versión {version} está en servicio y no incumple nada, pero su estilo no se pudo medir "
        "porque {why}.",
    ),
    "unchecked": (
        "Version {version} has not been checked against the conditions for going live.",
        "La versión {version} no se ha contrastado con las condiciones para ponerse en servicio.",
    ),
    "why_nothing": (
        "there is nothing to compare it with", "no hay con qué compararlo",
    ),
    "why_auc": (
        "the style ruler does not tell the brand's replies from other texts well enough "
        "(AUC {auc}; {wanted} is needed)",
        "el medidor de estilo no distingue lo bastante las respuestas de la marca de otros textos "
        "(AUC {auc}; hace falta {wanted})",
    ),
    "why_ceiling": (
        "not one of the brand's own held-out replies passes the style ruler",
        "ninguna de las respuestas apartadas de la propia marca pasa el medidor de estilo",
    ),
    "why_few": (
        "there are too few examples: {replies} replies to learn from and {held_out} held out, "
        "where {wanted} and {wanted_held_out} are needed",
        "hay muy pocos ejemplos: {replies} respuestas de las que aprender y {held_out} apartadas, "
        "y hacen falta {wanted} y {wanted_held_out}",
    ),
    # The verdict: what changed
    "style_of_hundred": (
        "Out of 100 answers, {n} could pass as the brand's own{against}.",
        "De cada 100 respuestas, {n} {could} pasar por ser de la marca{against}.",
    ),
    "style_full": (
        "Its answers pass as the brand's own as often as the brand's real replies do{against}.",
        "Sus respuestas pasan por ser de la marca tantas veces como las "
        "reales{against}.",
    ),
    "of_hundred": ("{n} of 100", "{n} de cada 100"),
    "against": (", against {others}", ", frente a {others}"),
    "about": ("about {n}", "unas {n}"),
    "all": ("practically all", "prácticamente todas"),
    "none": ("practically none", "prácticamente ninguna"),
    "with_base": ("without training", "sin entrenar"),
    "with_fewshot": ("with five examples in the prompt", "con cinco ejemplos en el prompt"),
    "with_version": ("with version {version}", "con la versión {version}"),
    "with_live": ("with version {version}, the one that is live",
                  "con la versión {version}, la que está en servicio"),
    "surprise_less": (
        "The brand's real replies surprise it less than they surprise the untuned model ({ours} "
        "against {base} nats a token): it has moved towards the brand's voice.",
        "Las respuestas reales de la marca la sorprenden menos que al modelo sin entrenar ({ours} "
        "frente a {base} nats por token): se ha acercado a la voz de la marca.",
    ),
    "surprise_more": (
        "The brand's real replies surprise it more than they surprise the untuned model ({ours} "
        "against {base} nats a token): it has moved away from the brand's voice.",
        "Las respuestas reales de la marca la sorprenden más que al modelo sin entrenar ({ours} "
        "frente a {base} nats por token): se ha alejado de la voz de la marca.",
    ),
    "surprise": (
        "The brand's real replies surprise it about as much as they surprise the untuned model "
        "({ours} against {base} nats a token): training changed little.",
        "Las respuestas reales de la marca la sorprenden más o menos lo mismo que al modelo sin "
        "entrenar ({ours} frente a {base} nats por token): el entrenamiento ha cambiado poco.",
    ),
    "nothing_measured": (
        "What the training changed could not be measured.",
        "No se pudo medir qué ha cambiado con el entrenamiento.",
    ),
    # Labels
    "label_base": ("untuned", "sin entrenar"),
    "label_fewshot": ("five examples", "cinco ejemplos"),
    "label_brand": ("the brand", "la marca"),
    "label_live": ("{label} (live)", "{label} (en servicio)"),
    # The first part
    "evaluation": ("Evaluation", "Evaluación"),
    "pass": ("Passes", "Cumple"),
    "fail": ("Fails", "Incumple"),
    "unknown": ("Not measured", "Sin medir"),
    "count_pass": ("{n} passed", "cumple {n}"),
    "count_fail": ("{n} failed", "incumple {n}"),
    "count_unknown": ("{n} not measured", "{n} sin medir"),
    "contents": ("Contents", "Contenido"),
    "planted_title": ("It repeats a planted answer", "Repite una respuesta plantada"),
    "changed": (
        "The examples have changed since this version was trained. It was measured with the "
        "examples of today; train a new version to bring it up to date.",
        "Los ejemplos han cambiado desde que se entrenó esta versión. Se ha medido con los "
        "ejemplos de hoy; entrena una versión nueva para ponerla al día.",
    ),
    "main": ("How well it does", "Cómo lo hace"),
    "line_key": (
        "The thin line is the 95% interval: where the figure might lie if others had asked.",
        "La línea fina es el intervalo del 95%: dónde podría estar la cifra si hubieran preguntado "
        "otras personas.",
    ),
    "speakers_key": (
        "“Untuned” is the same model without training, “five examples” the same model with the "
        "five nearest examples in its prompt.",
        "«Sin entrenar» es el mismo modelo sin entrenamiento y «cinco ejemplos», el mismo modelo "
        "con los cinco ejemplos más parecidos en el prompt.",
    ),
    "brand_key": (
        "The diamond and the dotted line are the brand's own real replies.",
        "El rombo y la línea de puntos son las respuestas reales de la propia marca.",
    ),
    "answers": ("{n} answers", "{n} respuestas"),
    "answers_one": ("1 answer", "1 respuesta"),
    "not_measured": ("not measured", "sin medir"),
    "conditions": ("Conditions for going live", "Condiciones para ponerse en servicio"),
    "best": ("Best answers", "Las mejores respuestas"),
    "worst": ("Worst answers", "Las peores respuestas"),
    "best_why": (
        "Fewest faults, broken rules and inventions, and most like the brand by the style ruler.",
        "Las que menos fallos, reglas incumplidas e invenciones tienen y más se parecen a la marca "
        "según el medidor de estilo.",
    ),
    "worst_why": (
        "Most faults, broken rules and inventions, and least like the brand by the style ruler.",
        "Las que más fallos, reglas incumplidas e invenciones tienen y menos se parecen a la marca "
        "según el medidor de estilo.",
    ),
    "before": ("What was said before", "Lo que se dijo antes"),
    "their_turn": ("Customer", "Cliente"),
    "brand_turn": ("Brand", "Marca"),
    "real_reply": ("The brand's real reply", "La respuesta real de la marca"),
    "expected": ("What was expected", "Lo que se esperaba"),
    "silent": ("(nothing)", "(nada)"),
    "fault_empty": ("empty", "vacía"),
    "fault_cut": ("cut off", "cortada"),
    "fault_repeating": ("repeats itself", "se repite"),
    "fault_language": ("another language", "otro idioma"),
    "rule_never-say": ("says “{word}”", "dice «{word}»"),
    "rule_no-emoji": ("emoji: {found}", "emoji: {found}"),
    "rule_many-emoji": ("{count} emoji", "{count} emojis"),
    "rule_many-sentences": ("{count} sentences, {most} allowed",
                            "{count} frases; se permiten {most}"),
    "invents": ("invents {names}", "inventa {names}"),
    "copies": ("{n} words copied", "{n} palabras copiadas"),
    "not_right": ("wrong answer", "no acierta"),
    "is_right": ("right answer", "acierta"),
    "not_declined": ("does not say it does not know", "no dice que no lo sabe"),
    "is_declined": ("says it does not know", "dice que no lo sabe"),
    "not_style": ("does not sound like the brand", "no suena a la marca"),
    "faultless": ("nothing flagged", "sin avisos"),
    "wrong_word": ("to look at", "por mirar"),
    "advice": ("What to add next", "Qué añadir ahora"),
    "add_first": ("{n} more examples like those in {file} would help most.",
                  "Lo que más ayudaría: {n} ejemplos más como los de {file}."),
    "add_more": ("{n} more like those in {file} would help too.",
                 "También ayudarían {n} más como los de {file}."),
    "add_style": (
        "{style} of its answers to the {n} prompts held out of that file pass as the brand's own; "
        "over all files it is {all}. It did worst with:",
        "El {style} de sus respuestas a las {n} preguntas apartadas de ese archivo pasa por ser de "
        "la marca; en todos los archivos es el {all}. Donde peor le fue:",
    ),
    "add_loss": (
        "The {n} replies held out of that file surprise it by {loss} nats a token; over all files "
        "it is {all}. It did worst with:",
        "Las {n} respuestas apartadas de ese archivo la sorprenden en {loss} nats por token; las "
        "de todos los archivos, en {all}. Donde peor le fue:",
    ),
    "no_advice": (
        "No file of examples stands out as worse than the others.",
        "Ningún archivo de ejemplos destaca por ir peor que los demás.",
    ),
    # The detail
    "detail": ("Detail", "Detalle"),
    "detail_why": ("For those who want to check.", "Para quien quiera comprobarlo."),
    "figures": ("Every figure", "Todas las cifras"),
    "figures_key": (
        "Below each figure its 95% interval, by the bootstrap over prompts, and the number of "
        "answers or texts behind it. No interval: all of them were alike.",
        "Bajo cada cifra, su intervalo del 95%, por bootstrap sobre las preguntas, y cuántas "
        "respuestas o textos hay detrás. Sin intervalo: todos salieron iguales.",
    ),
    "metric": ("Figure", "Cifra"),
    "definitions": ("What each figure is", "Qué es cada cifra"),
    "ruler": ("How good the style ruler is", "Cómo de bueno es el medidor de estilo"),
    "ruler_unused": ("It is not used here, because {why}.", "Aquí no se usa, porque {why}."),
    "ruler_auc": (
        "Shown a real reply of the brand and another text, both new to it, it picks the real one "
        "{times} times in 100 (AUC {auc}). 50 would be chance; under {wanted} it is not used.",
        "Ante una respuesta real de la marca y otro texto, ambos nuevos para él, acierta cuál es "
        "la real {times} veces de cada 100 (AUC {auc}). 50 sería azar; por debajo de {wanted} no "
        "se usa.",
    ),
    "ruler_ceiling": (
        "Of {n} real replies that it never saw, {value} pass ({low} to {high}). That is the "
        "ceiling: style is given as a share of it.",
        "De {n} respuestas reales que nunca vio, pasa el {value} ({low} a {high}). Ese es el "
        "techo: el estilo se da como parte de él.",
    ),
    "ruler_others": (
        "Of {n} texts in other voices, {value} pass ({low} to {high}).",
        "De {n} textos con otras voces, pasa el {value} ({low} a {high}).",
    ),
    "curve": ("How the training went", "Cómo fue el entrenamiento"),
    "curve_key": (
        "Loss in nats a token, by training step. Less is better; where validation rises again, the "
        "training has begun to learn by heart.",
        "Pérdida en nats por token, según el paso de entrenamiento. Cuanto menos, mejor; donde la "
        "de validación vuelve a subir, ha empezado a aprender de memoria.",
    ),
    "steps": ("training steps", "pasos de entrenamiento"),
    "training": ("Training", "Entrenamiento"),
    "validation": ("Validation", "Validación"),
    "line": ("{label} from {first} to {last}", "{label}, de {first} a {last}"),
    "chart": ("Loss by training step: {lines}.",
              "Pérdida según el paso de entrenamiento: {lines}."),
    "judged": ("Who judged", "Quién juzgó"),
    "no_judge": (
        "No model judged these answers: every figure is worked out from the texts and from losses.",
        "Ningún modelo ha juzgado estas respuestas: todas las cifras se calculan a partir de los "
        "textos y de las pérdidas.",
    ),
    "judge": (
        "{model}{where} compared {n} answers with those of {against}, each pair twice with the two "
        "swapped: {wins} won, {losses} lost, {ties} tied",
        "{model}{where} comparó {n} respuestas con las de {against}, cada par dos veces y en los "
        "dos órdenes: {wins} ganadas, {losses} perdidas, {ties} empatadas",
    ),
    "judge_share": (
        ". It won {value} (95% interval {low} to {high}), a tie counting half.",
        ". Ganó el {value} (intervalo del 95%: {low} a {high}); un empate cuenta la mitad.",
    ),
    "every": ("Every answer", "Todas las respuestas"),
    "measured_on": ("Measured", "Medida"),
    "took": ("Took", "Tardó"),
    "base_model": ("Base model", "Modelo de base"),
    "examples": ("Examples", "Ejemplos"),
    "made_of": ("{train} to train, {valid} for validation, {test} held out",
                "{train} para entrenar, {valid} de validación, {test} apartados"),
    # Versions side by side
    "comparison": ("Comparison", "Comparación"),
    "versions": ("Versions", "Versiones"),
    "state": ("State", "Estado"),
    "is_live": ("live", "en servicio"),
    "compare_style": (
        "Answers out of 100 that could pass as the brand's own: {parts}.",
        "Respuestas de cada 100 que podrían pasar por ser de la marca: {parts}.",
    ),
    "compare_part": ("{n} with version {version}", "{n} con la versión {version}"),
    "compare_no_style": (
        "Style could not be measured for all of these versions.",
        "El estilo no se pudo medir en todas estas versiones.",
    ),
    "unlike": (
        "These versions were not measured with the same examples, questions and rules. Small "
        "differences between their figures may come from that.",
        "Estas versiones no se midieron con los mismos ejemplos, preguntas y reglas. Las "
        "diferencias pequeñas entre sus cifras pueden venir de ahí.",
    ),
    "difference": ("against {other}: {value} {unit} ({low} to {high})",
                   "frente a {other}: {value} {unit} ({low} a {high})"),
    "against_first": ("Version {version} against {other}. {said}",
                      "Versión {version} frente a {other}. {said}"),
    "better_at": ("Better: {titles}.", "Mejor: {titles}."),
    "worse_at": ("Worse: {titles}.", "Peor: {titles}."),
    "no_difference": (
        "No figure differs beyond chance.", "Ninguna cifra difiere más allá del azar.",
    ),
    "better": ("better", "mejor"),
    "worse": ("worse", "peor"),
    "unsure": ("no sure difference", "sin diferencia segura"),
    "compare_key": (
        "A version is called better or worse only where the whole 95% interval of the difference, "
        "prompt by prompt, is on one side.",
        "Una versión se llama mejor o peor solo si todo el intervalo del 95% de la diferencia, "
        "pregunta a pregunta, queda a un lado.",
    ),
    "apart": ("Where they differ most", "Donde más se diferencian"),
    "no_shared": ("They were asked no prompt in common.",
                  "No se les hizo ninguna pregunta en común."),
    "made": ("What they were made of", "De qué se hicieron"),
    "compare_footer": (
        "Figures and intervals are worked out from the answers of each version's report.",
        "Las cifras y los intervalos se calculan con las respuestas del informe de cada versión.",
    ),
}  # fmt: skip


def say(key: str, side: str, **values: Any) -> str:
    """A sentence of ``WORDS``."""
    return WORDS[key][side == "es"].format(**values)


def number(value: float, side: str, decimals: int = 2, sign: str = "") -> str:
    """A number as the language writes it, with a real minus; zero has no sign."""
    text = f"{value:{sign}.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−").replace(".", "," if side == "es" else ".")


def percent(value: float, side: str, decimals: int = 0) -> str:
    return f"{number(100 * value, side, decimals)}%"


def amount(metric: str, value: float, side: str) -> str:
    """A figure in its metric's unit."""
    if METRICS[metric].unit == "nats":
        return number(value, side)
    return percent(value, side, 1 if metric == "copied" else 0)


def listed(items: Sequence[str], side: str) -> str:
    """``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    # Spanish says e before the sound of an i.
    joined = "e" if side == "es" and items[-1].lower().startswith(("i", "í")) else say("and", side)
    return f"{', '.join(items[:-1])} {joined} {items[-1]}"


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def quoted(text: str, side: str) -> str:
    return f"«{text}»" if side == "es" else f"“{text}”"


def day(created: str, side: str) -> str:
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return created
    month = say("months", side).split()[at.month - 1]
    return say("day", side, day=at.day, month=month, year=at.year, time=f"{at:%H:%M}")


def duration(seconds: float, side: str) -> str:
    if seconds < 100:
        return say("seconds", side, n=number(seconds, side, 0))
    return say("minutes", side, n=number(seconds / 60, side, 0))
