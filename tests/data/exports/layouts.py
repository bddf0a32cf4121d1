"""Exports in miniature, as each tool writes them, from one truth."""

import base64
import json

from tests.data.exports.truth import (
    FLAT_TRUTH,
    HEIGHT,
    NAMES,
    SPLIT_TRUTH,
    WIDTH,
    by_split,
    write_json,
    write_photo,
    write_text,
)


def coco(photos, *, first=1, name=lambda photo: photo.name, root=False, **item):
    """A COCO object; `root` adds Roboflow's category 0, which has no item."""
    categories = [{"id": 0, "name": "products", "supercategory": "none"}] if root else []
    categories += [
        {"id": first + n, "name": sku, "supercategory": "products"} for n, sku in enumerate(NAMES)
    ]
    images, annotations = [], []
    for number, photo in enumerate(photos):
        size = {"width": WIDTH, "height": HEIGHT}
        images.append({"id": number, "file_name": name(photo), **size})
        for sku, (x1, y1, x2, y2) in photo.items:
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": number,
                    "category_id": first + NAMES.index(sku),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0,
                    "segmentation": [],
                    **item,
                }
            )
    return {"images": images, "annotations": annotations, "categories": categories}


def roboflow_coco(root, truth):
    for split, photos in by_split(truth).items():
        folder = root / {"val": "valid"}.get(split, split)
        for photo in photos:
            write_photo(folder / photo.name)
        write_json(folder / "_annotations.coco.json", coco(photos, root=True))
    write_text(root / "README.roboflow.txt", "exported by Roboflow")


def roboflow_yolo(root, truth):
    for split, photos in by_split(truth).items():
        folder = root / {"val": "valid"}.get(split, split)
        for photo in photos:
            write_photo(folder / "images" / photo.name)
            yolo_label(folder / "labels", photo)
    names = json.dumps(list(NAMES), ensure_ascii=False)
    write_text(
        root / "data.yaml",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
        f"nc: 2\nnames: {names}\n\nroboflow:\n  workspace: w\n  license: CC BY 4.0\n",
    )


def yolo_label(folder, photo, tail=""):
    """A photo's text file."""
    lines = []
    for sku, (x1, y1, x2, y2) in photo.items:
        box = (x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT
        lines.append(" ".join([str(NAMES.index(sku)), *(f"{v:.8f}" for v in box)]) + tail)
    write_text(folder / f"{photo.name.rpartition('.')[0]}.txt", "\n".join(lines))


def yolo(root, truth):
    for photo in truth:
        write_photo(root / "images" / photo.split / photo.name)
        yolo_label(root / "labels" / photo.split, photo)
    names = "".join(f"  {n}: {name}\n" for n, name in enumerate(NAMES))
    write_text(
        root / "data.yaml",
        f"path: /home/someone/set\ntrain: images/train\nval: images/val\nnames:\n{names}",
    )


def yolo_flat(root, truth):
    """Label Studio's YOLO: photos, labels, classes.txt; here with polygons in place of boxes."""
    for photo in truth:
        write_photo(root / "images" / photo.name)
        lines = []
        for sku, (x1, y1, x2, y2) in photo.items:
            corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
            flat = " ".join(f"{x / WIDTH:.8f} {y / HEIGHT:.8f}" for x, y in corners)
            lines.append(f"{NAMES.index(sku)} {flat}")
        write_text(root / "labels" / f"{photo.name[:-4]}.txt", "\n".join(lines))
    write_text(root / "classes.txt", "\n".join(NAMES))
    write_json(root / "notes.json", {"categories": [{"id": 0, "name": "cola"}], "info": {}})


def yolo_cvat(root, truth):
    """CVAT's YOLO 1.1."""
    for photo in truth:
        write_photo(root / "obj_train_data" / photo.name)
        yolo_label(root / "obj_train_data", photo)
    write_text(root / "obj.names", "\n".join(NAMES) + "\n")
    write_text(root / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\n")
    listed = "".join(f"data/obj_train_data/{photo.name}\n" for photo in truth)
    write_text(root / "train.txt", listed)


def cvat_coco(root, truth):
    for photo in truth:
        write_photo(root / "images" / "default" / photo.name)
    attributes = {"attributes": {"occluded": False, "rotation": 0.0}}
    write_json(root / "annotations" / "instances_default.json", coco(truth, **attributes))


def cvat_xml(root, truth):
    images = []
    for number, photo in enumerate(truth):
        write_photo(root / "images" / photo.split.capitalize() / photo.name)
        boxes = "".join(
            f'<box label="{sku}" source="manual" occluded="0" xtl="{x1}" ytl="{y1}" xbr="{x2}" '
            f'ybr="{y2}" z_order="0"><attribute name="torn">no</attribute></box>'
            for sku, (x1, y1, x2, y2) in photo.items
        )
        subset = f'subset="{photo.split.capitalize()}" ' if photo.split else ""
        images.append(
            f'<image id="{number}" name="{photo.name}" {subset}width="{WIDTH}" '
            f'height="{HEIGHT}">{boxes}</image>'
        )
    labels = "".join(f"<label><name>{name}</name></label>" for name in NAMES)
    write_text(
        root / "annotations.xml",
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta><project>'
        f"<labels>{labels}</labels></project></meta>{''.join(images)}</annotations>",
    )


def label_studio_coco(root, truth):
    for photo in truth:
        write_photo(root / "images" / photo.name)
    value = coco(truth, first=0, name=lambda photo: f"..\\..\\media\\upload\\1\\{photo.name}")
    write_json(root / "result.json", value | {"info": {"contributor": "Label Studio"}})


def label_studio(root, truth):
    tasks = []
    for number, photo in enumerate(truth):
        write_photo(root / "images" / photo.name)
        result = [
            {
                "id": f"r{n}",
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": WIDTH,
                "original_height": HEIGHT,
                "image_rotation": 0,
                "value": percent(box) | {"rotation": 0, "rectanglelabels": [sku]},
            }
            for n, (sku, box) in enumerate(photo.items)
        ]
        tasks.append(
            {
                "id": number,
                "annotations": [{"id": 1, "was_cancelled": False, "result": result}],
                "predictions": [],
                "file_upload": f"0a1b2c3d-{photo.name}",
                "data": {"image": f"/data/upload/1/0a1b2c3d-{photo.name.replace(' ', '%20')}"},
            }
        )
    write_json(root / "project-1-at-2024.json", tasks)


def label_studio_min(root, truth):
    tasks = []
    for number, photo in enumerate(truth):
        write_photo(root / "photos" / photo.name)
        regions = [
            percent(box)
            | {"rotation": 0, "rectanglelabels": [sku]}
            | {"original_width": WIDTH, "original_height": HEIGHT}
            for sku, box in photo.items
        ]
        name = f"/data/local-files/?d=photos/{photo.name}"
        tasks.append({"image": name, "id": number, "annotator": 1, "label": regions})
    write_json(root / "min.json", tasks)


def percent(box):
    """Label Studio's rectangle."""
    x1, y1, x2, y2 = box
    return {
        "x": x1 / WIDTH * 100,
        "y": y1 / HEIGHT * 100,
        "width": (x2 - x1) / WIDTH * 100,
        "height": (y2 - y1) / HEIGHT * 100,
    }


def fiftyone_coco(root, truth):
    for photo in truth:
        write_photo(root / "data" / photo.name)
    write_json(root / "labels.json", coco(truth, first=0))


def fiftyone(root, truth):
    labels = {}
    for photo in truth:
        write_photo(root / "data" / photo.name)
        labels[photo.name[:-4]] = [
            {
                "label": NAMES.index(sku),
                "bounding_box": [x1 / WIDTH, y1 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT],
            }
            for sku, (x1, y1, x2, y2) in photo.items
        ]
    write_json(root / "labels.json", {"classes": list(NAMES), "labels": labels})


def plain_coco(root, truth):
    for split, photos in by_split(truth).items():
        for photo in photos:
            write_photo(root / f"{split}2017" / photo.name)
        write_json(root / "annotations" / f"instances_{split}2017.json", coco(photos))
        captions = {"images": [], "annotations": [{"id": 1, "image_id": 1, "caption": "a"}]}
        write_json(root / "annotations" / f"captions_{split}2017.json", captions)


def rpc_renamed(root, truth):
    for split, photos in by_split(truth).items():
        for photo in photos:
            write_photo(root / f"{split}2019" / photo.name)
        value = coco(photos) | {"__raw_Chinese_name_df": []}
        text = "\ufeff" + json.dumps(value)
        write_text(root / f"my_{split}.json", text)


def labelme(root, truth):
    for number, photo in enumerate(truth):
        write_photo(root / photo.name)
        data = (root / photo.name).read_bytes()
        if number == 1:
            (root / photo.name).unlink()  # the photo is in the JSON alone
        shapes = []
        for sku, (x1, y1, x2, y2) in photo.items:
            if number % 2:
                points, kind = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]], "polygon"
            else:
                points, kind = [[x2, y1], [x1, y2]], "rectangle"
            shapes.append({"label": sku, "points": points, "group_id": None, "shape_type": kind})
        value = {
            "version": "5.4.1",
            "flags": {},
            "shapes": shapes,
            "imagePath": f"..\\photos\\{photo.name}" if number == 0 else photo.name,
            "imageData": base64.b64encode(data).decode() if number == 1 else None,
            "imageHeight": HEIGHT,
            "imageWidth": WIDTH,
        }
        write_json(root / f"{photo.name[:-4]}.json", value)


def via_regions(photo):
    """VIA's regions of a photo."""
    return [
        {
            "shape_attributes": {"name": "rect", "x": x1, "y": y1, "width": x2 - x1}
            | {"height": y2 - y1},
            "region_attributes": {"product": sku},
        }
        for sku, (x1, y1, x2, y2) in photo.items
    ]


def via_json(root, truth, project=False):
    value = {}
    for number, photo in enumerate(truth):
        write_photo(root / photo.name)
        regions = via_regions(photo)
        value[f"{photo.name}123"] = {
            "filename": photo.name,
            "size": 123,
            "regions": {str(n): r for n, r in enumerate(regions)} if number % 2 else regions,
            "file_attributes": {},
        }
    if project:
        value = {"_via_settings": {}, "_via_img_metadata": value, "_via_attributes": {}}
    write_json(root / ("project.json" if project else "via_region_data.json"), value)


def via_project(root, truth):
    via_json(root, truth, project=True)


def via_csv(root, truth):
    lines = [
        "#filename,file_size,file_attributes,region_count,region_id,"
        "region_shape_attributes,region_attributes"
    ]
    for photo in truth:
        write_photo(root / photo.name)
        rows = via_regions(photo) or [{"shape_attributes": {}, "region_attributes": {}}]
        for number, region in enumerate(rows):
            shape, attributes = (
                json.dumps(region[key], ensure_ascii=False).replace('"', '""') for key in region
            )
            lines.append(f'{photo.name},123,"{{}}",{len(rows)},{number},"{shape}","{attributes}"')
    write_text(root / "via_region_data.csv", "\n".join(lines))


def voc_text(photo, name):
    """A photo's XML."""
    objects = "".join(
        f"<object><name>{sku}</name><pose>Unspecified</pose><truncated>0</truncated>"
        f"<difficult>0</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax>"
        f"<ymax>{y2}</ymax></bndbox></object>"
        for sku, (x1, y1, x2, y2) in photo.items
    )
    return (
        f"<annotation><folder>JPEGImages</folder><filename>{name}</filename><size>"
        f"<width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>{objects}"
        "</annotation>"
    )


def voc(root, truth):
    for photo in truth:
        write_photo(root / "JPEGImages" / photo.name)
        path = root / "Annotations" / f"{photo.name[:-4]}.xml"
        write_text(path, voc_text(photo, photo.name))


def voc_beside(root, truth):
    """Roboflow's VOC: XML beside the photos, a folder for each split."""
    for photo in truth:
        folder = root / {"val": "valid"}.get(photo.split, photo.split)
        write_photo(folder / photo.name)
        write_text(folder / f"{photo.name[:-4]}.xml", voc_text(photo, photo.name))


def createml(root, truth):
    for split, photos in by_split(truth).items():
        entries = []
        for photo in photos:
            write_photo(root / split / photo.name)
            boxes = [
                {
                    "label": sku,
                    "coordinates": {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2}
                    | {"width": x2 - x1, "height": y2 - y1},
                }
                for sku, (x1, y1, x2, y2) in photo.items
            ]
            entries.append({"image": photo.name, "annotations": boxes})
        write_json(root / split / "_annotations.createml.json", entries)


def table(root, truth):
    for split, photos in by_split(truth).items():
        lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
        for photo in photos:
            write_photo(root / split / photo.name)
            for sku, box in photo.items:
                lines.append(f"{photo.name},{WIDTH},{HEIGHT},{sku},{','.join(map(str, box))}")
        write_text(root / split / "_annotations.csv", "\n".join(lines))


# Writer and name of the layout; those with splits get SPLIT_TRUTH.
WITH_SPLITS = {
    roboflow_coco: "Roboflow COCO",
    roboflow_yolo: "Roboflow YOLO",
    yolo: "YOLO",
    cvat_xml: "CVAT for images",
    plain_coco: "COCO",
    rpc_renamed: "RPC's JSON under another name",
    voc_beside: "Pascal VOC",
    createml: "CreateML",
    table: "CSV of boxes",
}
FLAT = {
    yolo_flat: "YOLO",
    yolo_cvat: "YOLO",
    cvat_coco: "CVAT COCO",
    label_studio_coco: "Label Studio COCO",
    label_studio: "Label Studio JSON",
    label_studio_min: "Label Studio JSON",
    fiftyone_coco: "FiftyOne COCO",
    fiftyone: "FiftyOne detections",
    labelme: "labelme",
    via_json: "VIA",
    via_project: "VIA",
    via_csv: "VIA",
    voc: "Pascal VOC",
}
ALL = WITH_SPLITS | FLAT


def truth_of(writer):
    """The truth that fits a layout."""
    return SPLIT_TRUTH if writer in WITH_SPLITS else FLAT_TRUTH
